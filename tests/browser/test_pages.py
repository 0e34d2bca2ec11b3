"""The pages of a real server, as a person sees them."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, Site


pytestmark = pytest.mark.browser

expect.set_options(timeout=PATIENCE_MS)

SCRIPT = "<script>window.ran = true</script>"
PICTURE = '<img src=x onerror="window.ran = true">'


def test_experiments_and_their_runs_are_listed(site: Site, page: Page) -> None:
    """The way in is where something happened last; the others are one click away."""
    older, newer = site.experiment("older"), site.experiment("새 실험")
    site.run(older, "first-run", params={"rate": "0.1"})
    site.log(site.run(newer, "second-run"), "loss", [0.5, 0.25])

    page.goto("/")

    expect(page.get_by_role("heading", name="새 실험")).to_be_visible()
    row = page.get_by_role("row", name="second-run")
    expect(row.get_by_role("cell", name="0.2500")).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()

    page.get_by_role("link", name="older").click()

    row = page.get_by_role("row", name="first-run")
    expect(row.get_by_role("cell", name="0.1")).to_be_visible()
    expect(page).to_have_title("older · Runstone")


def test_a_run_appears_and_changes_while_the_page_is_open(
    site: Site, page: Page
) -> None:
    """Nobody reloads a page to see how their training goes."""
    experiment = site.experiment("live")
    page.goto(f"/experiments/{experiment}")
    expect(page.get_by_text("Nothing has been recorded here yet")).to_be_visible()

    run_id = site.run(experiment, "just-begun")
    site.log(run_id, "loss", [4.0])

    row = page.get_by_role("row", name="just-begun")
    expect(row.get_by_role("cell", name="4", exact=True)).to_be_visible()
    expect(row.get_by_role("cell", name="Running")).to_be_visible()

    site.log(run_id, "loss", [4.0, 0.125])
    site.send("runs/update", run_id=run_id, status="FINISHED", end_time=9_999)

    expect(row.get_by_role("cell", name="0.1250")).to_be_visible()
    expect(row.get_by_role("cell", name="Finished")).to_be_visible()


def test_a_run_opens_with_its_params_tags_and_a_curve(site: Site, page: Page) -> None:
    """Everything about one run is beside the table, and its address can be sent."""
    experiment = site.experiment("curves")
    run_id = site.run(
        experiment, "quiet-heron", params={"depth": "18"}, tags={"team": "vision"}
    )
    site.log(run_id, "loss", [1 / (1 + step) for step in range(500)])
    page.goto(f"/experiments/{experiment}")

    page.get_by_role("link", name="quiet-heron").click()
    details = page.get_by_role("region", name="Run", exact=True)
    details.get_by_role("link", name="loss").click()

    expect(details.get_by_text("depth")).to_be_visible()
    expect(details.get_by_text("vision")).to_be_visible()
    expect(details.get_by_role("cell", name="499")).to_be_visible()
    figure = details.get_by_role("figure", name="loss over steps")
    expect(figure.locator("canvas")).to_be_visible()
    assert _drawn_pixels(page) > 300

    page.reload()

    expect(figure.locator("canvas")).to_be_visible()

    page.keyboard.press("Escape")
    expect(details).to_be_hidden()


def test_values_that_are_no_numbers_are_said(site: Site, page: Page) -> None:
    """A training that was NaN from its first step still has its page."""
    experiment = site.experiment("broken")
    run_id = site.run(experiment, "all-nan")
    site.log(run_id, "loss", ["NaN", "NaN"])
    site.log(run_id, "norm", ["NaN", "Infinity"])

    page.goto(f"/experiments/{experiment}?run={run_id}&metric=loss")

    details = page.get_by_role("region", name="Run", exact=True)
    expect(details.get_by_text("every value of loss is NaN")).to_be_visible()
    expect(details.get_by_role("row", name="norm")).to_contain_text("∞")


def test_the_pages_speak_korean_and_remember_it(site: Site, page: Page) -> None:
    """The choice outlives the visit."""
    site.run(site.experiment("언어"), "실행-하나")
    page.goto("/")

    page.get_by_role("combobox", name="Language").select_option("한국어")

    expect(page.get_by_role("columnheader", name="소요 시간")).to_be_visible()
    page.reload()
    expect(page.get_by_role("columnheader", name="소요 시간")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "ko")

    page.get_by_role("combobox", name="언어").select_option("English")

    expect(page.get_by_role("columnheader", name="Duration")).to_be_visible()


def test_the_pages_are_light_or_dark_and_remember_it(site: Site, page: Page) -> None:
    """The system decides until the person does."""
    site.run(site.experiment("themes"), "a-run")
    page.emulate_media(color_scheme="dark")
    page.goto("/")
    expect(page.get_by_role("link", name="a-run")).to_be_visible()
    assert _brightness(page) < 80

    page.get_by_role("button", name="Switch to light").click()

    expect(page.get_by_role("button", name="Switch to dark")).to_be_visible()
    page.reload()
    expect(page.get_by_role("link", name="a-run")).to_be_visible()
    assert _brightness(page) > 200


def test_a_server_that_goes_away_is_said_and_its_return_noticed(
    site: Site, page: Page, complaints: list[str]
) -> None:
    """What was read stays in sight, and nobody has to reload."""
    experiment = site.experiment("restart")
    site.run(experiment, "before")
    page.goto("/")
    expect(page.get_by_role("link", name="before")).to_be_visible()

    site.stop()

    expect(page.get_by_text("Not connected, trying again")).to_be_visible()
    expect(page.get_by_role("link", name="before")).to_be_visible()

    site.start()
    site.run(experiment, "after")

    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="after")).to_be_visible()
    # Chromium itself notes each request that got no answer.
    refused = re.compile("net::ERR_(CONNECTION|EMPTY|SOCKET)")
    complaints[:] = [text for text in complaints if not refused.search(text)]


def test_a_page_that_cannot_be_read_says_so_and_tries_again(
    site: Site, page: Page, complaints: list[str]
) -> None:
    """A link to a run that is gone is not an empty page."""
    experiment = site.experiment("links")
    site.run(experiment, "here")

    page.goto(f"/experiments/{experiment}?run={'0' * 32}")

    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("The run could not be read")
    expect(alert.get_by_role("button", name="Try again")).to_be_visible()
    expect(page.get_by_role("link", name="here")).to_be_visible()
    complaints[:] = [text for text in complaints if "404" not in text]


def test_the_link_that_mlflow_prints_opens_the_run(site: Site, page: Page) -> None:
    """MLflow's client ends every run with an address of MLflow's own pages."""
    experiment = site.experiment("printed")
    run_id = site.run(experiment, "linked")

    page.goto(f"/#/experiments/{experiment}/runs/{run_id}")

    details = page.get_by_role("region", name="Run", exact=True)
    expect(details.get_by_role("heading", name="linked")).to_be_visible()
    expect(page).to_have_url(f"{site.url}/experiments/{experiment}?run={run_id}")


def test_an_address_that_leads_nowhere_leads_back(site: Site, page: Page) -> None:
    """The server sends its page for any address, and the page knows its own."""
    site.run(site.experiment("home"), "a-run")

    page.goto("/no/such/page")
    page.get_by_role("link", name="Show the experiments").click()

    expect(page.get_by_role("link", name="a-run")).to_be_visible()


@pytest.mark.parametrize("payload", [SCRIPT, PICTURE, "'\"><svg onload=ran=true>"])
def test_what_users_write_is_text_and_never_runs(
    site: Site, page: Page, payload: str
) -> None:
    """Names, params and tags come from anybody who can log."""
    experiment = site.experiment(f"x {payload}")
    run_id = site.run(
        experiment,
        f"run {payload}",
        params={"param": payload},
        tags={"tag": payload, "mlflow.source.name": payload, "mlflow.note": payload},
    )
    site.log(run_id, "loss", [1.0, 0.5])

    page.goto(f"/experiments/{experiment}?run={run_id}&metric=loss")

    details = page.get_by_role("region", name="Run", exact=True)
    expect(details.get_by_role("heading", name=f"run {payload}")).to_be_visible()
    expect(details.locator("canvas")).to_be_visible()
    expect(page.get_by_role("heading", name=f"x {payload}")).to_be_visible()
    assert page.evaluate("window.ran") is None


def test_a_script_that_slips_in_is_stopped_by_the_policy(
    site: Site, page: Page, complaints: list[str]
) -> None:
    """A second lock, should the first one ever fail."""
    site.run(site.experiment("policy"), "a-run")
    page.goto("/")
    expect(page.get_by_role("link", name="a-run")).to_be_visible()

    page.evaluate(
        "html => document.body.insertAdjacentHTML('beforeend', html)", PICTURE
    )
    with page.expect_event("console", lambda said: "inline" in said.text):
        page.evaluate(
            """() => {
                const script = document.createElement('script')
                script.textContent = 'window.ran = true'
                document.body.append(script)
            }"""
        )

    assert page.evaluate("window.ran") is None
    complaints.clear()


def test_a_phone_has_the_experiments_behind_a_button(site: Site, page: Page) -> None:
    """Nothing is out of reach on a small screen, and nothing hangs out of it."""
    site.run(site.experiment("birds"), "run-of-birds")
    site.run(site.experiment("fish"), "run-of-fish")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto("/")
    expect(page.get_by_role("link", name="run-of-fish")).to_be_visible()

    page.get_by_role("button", name="Experiments").click()
    page.get_by_role("dialog").get_by_role("link", name="birds").click()

    expect(page.get_by_role("link", name="run-of-birds")).to_be_visible()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def _drawn_pixels(page: Page) -> int:
    """Count the pixels of the first canvas that hold any ink."""
    return int(
        page.evaluate(
            """() => {
                const canvas = document.querySelector('canvas')
                const { width, height } = canvas
                const all = canvas.getContext('2d').getImageData(0, 0, width, height)
                return all.data.filter((v, i) => i % 4 === 3 && v > 0).length
            }"""
        )
    )


def _brightness(page: Page) -> float:
    """Measure the page's background, from 0, black, to 255."""
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]

    return sum(parts) / 3

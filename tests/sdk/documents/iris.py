"""The classification of 001, section 4.1, without its model's flavor."""

import mlflow
from sklearn import datasets
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import train_test_split


iris = datasets.load_iris()
X = iris.data
y = iris.target
X_train, X_test, y_train, y_test = train_test_split(
    X, y, test_size=0.2, random_state=42
)

with mlflow.start_run():
    params = {"solver": "lbfgs", "max_iter": 1000, "random_state": 8888}
    lr = LogisticRegression(**params)
    lr.fit(X_train, y_train)
    predictions = lr.predict(X_test)
    accuracy = accuracy_score(y_test, predictions)
    mlflow.log_params(params)
    mlflow.log_metric("accuracy", accuracy)
    print(f"Accuracy: {accuracy}")

run = mlflow.last_active_run()
assert run.data.params["solver"] == "lbfgs"
assert run.data.metrics["accuracy"] == accuracy

"""MLflow's functions over our SDK, by noun; `runstone` itself offers them."""

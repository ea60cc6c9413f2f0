"""Other people's gateways under the same load: same texts, same simulated carrier, same client, same run."""

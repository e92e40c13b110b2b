"""Alerts: one model behind monitors of OpenSearch, alerts of Coralogix, their documentation and tests."""

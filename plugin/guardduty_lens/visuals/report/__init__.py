"""The offline report: the dashboards as one page that needs nothing else."""

"""Options that say which dashboards: the same on every command that makes something of them."""

from pathlib import Path

import click

from guardduty_lens.catalogue.load import CatalogueError
from guardduty_lens.lens import Lens
from guardduty_lens.visuals.fields import Fields, fields_of_lens
from guardduty_lens.visuals.load import DashboardError, load_dashboards
from guardduty_lens.visuals.model import Dashboard

dashboards_option = click.option(
    "--dashboards",
    type=click.Path(exists=True, path_type=Path),
    help="A folder of *.yml: your own dashboards, in place of shipped ones of the same id, or besides.",
)
stock_map_option = click.option(
    "--stock-map",
    is_flag=True,
    help="Region maps with shapes that browsers fetch from Dashboards' map service, not the cluster's own.",
)


def dashboards_of(lens: Lens, folder: Path | None) -> tuple[Fields, list[Dashboard]]:
    """Give the fields of a lens and the dashboards; what is wrong with a user's own is a usage error."""
    fields = fields_of_lens(lens)
    try:
        return fields, load_dashboards(fields, folder)
    except (CatalogueError, DashboardError) as error:
        raise click.UsageError(str(error)) from error

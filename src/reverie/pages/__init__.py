"""The pages we make: each is data first (`views`), then one file of HTML that opens from disk and fetches nothing."""

from __future__ import annotations

from reverie.pages.seeing import see_page as see_page
from reverie.pages.views import Counted as Counted
from reverie.pages.views import Noticed as Noticed
from reverie.pages.views import Opinion as Opinion
from reverie.pages.views import Rung as Rung
from reverie.pages.views import Sight as Sight

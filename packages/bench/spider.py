"""Scrapy with scrapy-playwright and default settings, except the browser.

`scrapy runspider spider.py -a site=ADDRESS -a chromium=PATH -o -:jsonlines`
"""

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import scrapy
from scrapy.http import Response
from scrapy_playwright.page import PageMethod


class ProductSpider(scrapy.Spider):
    """Reads the lists of a site and their products."""

    name = "products"

    @classmethod
    def from_crawler(cls, crawler: Any, *args: Any, **kwargs: Any) -> "ProductSpider":
        """Set the browser, because the settings must exist before the spider."""
        handler = "scrapy_playwright.handler.ScrapyPlaywrightDownloadHandler"
        crawler.settings.set("DOWNLOAD_HANDLERS", {"http": handler, "https": handler}, priority="cmdline")
        launch = {"executable_path": kwargs["chromium"]}
        crawler.settings.set("PLAYWRIGHT_LAUNCH_OPTIONS", launch, priority="cmdline")
        return super().from_crawler(crawler, *args, **kwargs)

    async def start(self) -> AsyncIterator[scrapy.Request]:
        """Start with the first list."""
        yield self.list_request(self.site)

    def list_request(self, address: str) -> scrapy.Request:
        """Request a list, which is complete when its script has rendered it."""
        rendered = PageMethod("wait_for_selector", "a.list_product_a")
        return scrapy.Request(address, meta={"playwright": True, "playwright_page_methods": [rendered]})

    def parse(self, response: Response) -> Iterator[scrapy.Request]:
        """Follow the products of a list and the next list."""
        for address in response.css("a.list_product_a::attr(href)").getall():
            yield response.follow(address, self.parse_product, meta={"playwright": True})
        for address in response.css('#pages a[rel^="next"]::attr(href)').getall():
            yield self.list_request(response.urljoin(address))

    def parse_product(self, response: Response) -> Iterator[dict[str, Any]]:
        """Extract the product of a page."""

        def text(selector: str) -> str | None:
            found = response.css(selector)
            return "".join(found[0].css("*::text").getall()).strip() if found else None

        brands = text("#field_brands_value")
        name = (text('h1[property="food:name"]') or "").split(" - ")[0] or None
        grade = response.css("#panel_nutriscore_2023 a.panel_title::attr(class)").get("")
        nova = response.css("#panel_nova a.panel_title img::attr(src)").get("")
        grades = re.search(r"grade_([a-e])(?:\s|$)", grade)
        groups = re.search(r"nova-group-(\d)", nova)
        yield {
            "code": text("#barcode"),
            "name": None if name == brands else name,
            "grade": grades[1] if grades else None,
            "nova": int(groups[1]) if groups else None,
            "brands": brands,
        }

"""A headless Chromium for the page, and runs made up for it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
SHOTS = "INOCULATE_SCREENSHOTS"
"""Environment variable: the folder for screenshots; without it they go to the test's own folder."""


@dataclass
class Browser:
    """A browser and what the tests ask of it."""

    driver: Any
    shots: Path

    def open(self, page: Path, part: str = "") -> float:
        """Open a page and wait for its samples; returns the seconds that took."""
        self.driver.get("about:blank")
        start = time.perf_counter()
        self.driver.get(f"{page.as_uri()}{part}")
        self.wait(lambda: self.js("return document.documentElement.dataset.samples === 'ready'"))
        return time.perf_counter() - start

    def worked(self) -> float:
        """Seconds of processor time that the page's process has used: what a busy machine does not change."""
        self.driver.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
        metrics = self.driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
        return next(metric["value"] for metric in metrics if metric["name"] == "ProcessTime")

    def js(self, code: str, *arguments: Any) -> Any:
        """Run JavaScript in the page."""
        return self.driver.execute_script(code, *arguments)

    def wait(self, holds: Callable[[], Any], seconds: float = 20.0) -> Any:
        """Wait until something holds; returns it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = holds()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"did not come to hold within {seconds} s")

    def screen(self, width: int, height: int, *, dark: bool = False) -> None:
        """Set the size of the screen and the theme that the reader prefers."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [theme]})

    def shot(self, name: str) -> None:
        """Keep a screenshot."""
        self.driver.save_screenshot(str(self.shots / f"{name}.png"))

    def complaints(self) -> list[str]:
        """What the console says since the last time."""
        return [entry["message"] for entry in self.driver.get_log("browser")]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The driver of one browser for all tests."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    binary, driver_binary = shutil.which("chromium"), shutil.which("chromedriver")
    if not (binary and driver_binary):
        pytest.skip("chromium and chromedriver are not installed (Debian: chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in FLAGS:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Without a folder named here chromedriver makes a new and empty profile, and removes it at the end.
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver_binary))
    yield driver
    driver.quit()


@pytest.fixture
def browser(chromium: Any, tmp_path: Path) -> Iterator[Browser]:
    """The browser with a desktop's screen; fails a test after which the console has complaints."""
    shots = Path(os.environ.get(SHOTS) or tmp_path)
    shots.mkdir(parents=True, exist_ok=True)
    found = Browser(chromium, shots)
    found.screen(1280, 860)
    found.complaints()
    yield found
    assert found.complaints() == []

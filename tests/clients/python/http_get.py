"""Fetches a URL with the library named: prints the body, then a line with status and HTTP version.

Usage: http_get.py requests|httpx-h1|httpx-h2|aiohttp URL PROXY ROOT
"""

import asyncio
import ssl
import sys
from collections.abc import Callable
from functools import partial

Answer = tuple[str, int, str]


def with_requests(url: str, proxy: str, root: str) -> Answer:
    import requests

    answer = requests.get(url, proxies={"https": proxy}, verify=root, timeout=20)
    version = {10: "1.0", 11: "1.1"}[answer.raw.version]
    return answer.text, answer.status_code, version


def with_httpx(url: str, proxy: str, root: str, http2: bool) -> Answer:
    import httpx

    trust = ssl.create_default_context(cafile=root)
    with httpx.Client(proxy=proxy, verify=trust, http2=http2, timeout=20) as client:
        answer = client.get(url)
    return answer.text, answer.status_code, answer.http_version.removeprefix("HTTP/")


async def with_aiohttp(url: str, proxy: str, root: str) -> Answer:
    import aiohttp

    trust = ssl.create_default_context(cafile=root)
    async with aiohttp.ClientSession() as session, session.get(url, proxy=proxy, ssl=trust) as answer:
        assert answer.version is not None
        return await answer.text(), answer.status, f"{answer.version.major}.{answer.version.minor}"


LIBRARIES: dict[str, Callable[[str, str, str], Answer]] = {
    "requests": with_requests,
    "httpx-h1": partial(with_httpx, http2=False),
    "httpx-h2": partial(with_httpx, http2=True),
    "aiohttp": lambda *at: asyncio.run(with_aiohttp(*at)),
}


def main() -> None:
    library, *at = sys.argv[1:]
    try:
        body, status, version = LIBRARIES[library](*at)
    except Exception as error:  # whatever a library says to its user is the answer here
        sys.exit(f"{type(error).__name__}: {error}")
    print(f"{body}\n{status} {version}")


if __name__ == "__main__":
    main()

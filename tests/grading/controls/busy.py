# control: honest, with threads, asyncio, a process-wide cache, prints and modules loaded late
import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def digits(n, base):
    return [] if n == 0 else [*digits(n // base, base), n % base]


def digit_sum(n, base):
    async def one(d):
        await asyncio.sleep(0)
        return d

    async def everything():
        return sum(await asyncio.gather(*map(one, digits(n, base))))

    print("working on", n)
    with ThreadPoolExecutor(2) as pool:
        result = pool.submit(lambda: asyncio.run(everything())).result()
    import csv, difflib, html, logging, pprint  # noqa

    return result

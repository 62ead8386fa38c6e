"""Commands that the client may execute. The arguments of each are one object."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from pygls.exceptions import JsonRpcInvalidParams

from .documents import path_of
from .features.actions import NIC_IS_SET
from .features.analysis import nf_of
from .nfs import Nf
from .protocol import Ready
from .session import Session, Superseded

_PATIENCE = 60.0  # seconds for a result that is being computed


FORMS = ("dpdk-c", "ethtool", "testpmd", "json")  # as in facts.rss, which needs what only the worker imports


class Commands:
    """The commands of one session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def matrix(self, arguments: tuple[Any, ...]) -> Ready:
        """The JSON of `check` for an NF."""
        nf = await self.fresh(self.nf(arguments))
        assert nf.facts is not None
        return Ready(nf.facts.data["analysis"].decode() or "null")

    async def export(self, arguments: tuple[Any, ...]) -> dict[str, str]:
        """The RSS configuration as a program takes it."""
        nf = await self.fresh(self.nf(arguments))
        form = arguments[0].get("form")
        if form not in FORMS:
            raise JsonRpcInvalidParams(f"form is one of {', '.join(FORMS)}, not {form!r}")
        text = await self._ask(nf, "export", {"form": form})
        if not text:
            raise JsonRpcInvalidParams(f"{nf.name} has no RSS configuration: {nf.facts and nf.facts.data['verdict']}")
        return {"text": text}

    def nic(self, arguments: tuple[Any, ...], edit: Callable[[dict[str, Any]], Any]) -> tuple[Nf, Any]:
        """An NF, and the edit that makes its maestro.toml say `nic`."""
        nf = self.nf(arguments)
        wanted = arguments[0].get("nic")
        known = {*nf.facts.data.get("nics", ()), nf.facts.data.get("nic")} if nf.facts is not None else set()
        if wanted not in known:
            raise JsonRpcInvalidParams(f"nic is one of {', '.join(sorted(filter(None, known)))}, not {wanted!r}")
        if self._session.sets_nic(nf):
            raise JsonRpcInvalidParams(NIC_IS_SET)
        change = edit({"do": "nic", "nf": nf.entry, "value": wanted})
        if change is None:
            raise JsonRpcInvalidParams(
                f"the maestro.toml of {nf.name} is not written in a way that can be changed here"
            )
        return nf, change

    def restart(self) -> None:
        """Forget everything and analyse anew."""
        self._session.restart()

    async def paths(self, arguments: tuple[Any, ...]) -> Ready:
        """The call paths of an NF, as maestro/paths gives them."""
        return Ready((await self._ask(await self.fresh(self.nf(arguments)), "paths", {})).decode())

    async def _ask(self, nf: Nf, what: str, arguments: dict[str, Any]) -> Any:
        try:
            return await self._session.ask(nf, what, arguments)
        except Superseded as why:
            raise JsonRpcInvalidParams(f"{nf.name}: {why}") from None

    def nf(self, arguments: tuple[Any, ...]) -> Nf:
        """The NF that a command's arguments name. Raises JsonRpcInvalidParams."""
        given = arguments[0] if arguments and isinstance(arguments[0], dict) else {}
        uri = given.get("uri")
        if not isinstance(uri, str):
            raise JsonRpcInvalidParams('the argument is an object with a "uri"')
        nf = nf_of(self._session.nfs, path_of(uri))
        if nf is None:
            raise JsonRpcInvalidParams(f"no NF at {uri}: an NF is found by a definition of nf_process")
        return nf

    async def fresh(self, nf: Nf) -> Nf:
        """The NF once its analysis is that of the latest texts. Raises JsonRpcInvalidParams when that fails."""
        ends = asyncio.get_running_loop().time() + _PATIENCE
        while nf.state != "fresh":
            if nf.state == "failed" or asyncio.get_running_loop().time() > ends:
                raise JsonRpcInvalidParams(nf.message or f"{nf.name} is not analysed yet")
            await asyncio.sleep(0.01)
        return nf

"""``collector kill``: end any dynamic subscription of a device, in a session of its own.

Does: one session, one kill-subscription (RFC 8639 §2.4.5). Does not: ask whether that is meant
(``cli.kill``), touch what a running collector wants: it hears of the end like anybody.
"""

from __future__ import annotations

import asyncio

from collector.errors import ProtocolError, WireError
from collector.service.ways import Ways
from collector.subscriber.exchanges import refusals
from collector.subscriber.sessions.session import SessionSettings
from collector.wire.netconf.rpc import KillSubscription, decode_reply, encode_rpc


def kill_subscription(
    settings: SessionSettings,
    session: str,
    subscription_id: int,
    *,
    device: str = "",
    ways: Ways | None = None,
) -> None:
    """Have the device end a subscription.

    Args:
        settings: how to reach it.
        session: which client holds the session.
        subscription_id: the device's id of it.
        device: its name.
        ways: how a session is had; None: by connecting.

    Raises:
        SessionError: no session, or it ended.
        ProtocolError: the device refused; the sentence says why.
        ConfigError: a secret or key cannot be had.
    """
    asyncio.run(_kill(settings, session, subscription_id, device, ways or Ways()))


async def _kill(
    settings: SessionSettings, session: str, subscription_id: int, device: str, ways: Ways
) -> None:
    async with ways.sessions({device: settings}) as make:
        opened = make(device, session)
        try:
            await opened.open()
            request = encode_rpc("1", KillSubscription(subscription_id))
            reply = decode_reply(await opened.rpc(request))
        except WireError as error:
            where = opened.settings.where
            raise ProtocolError(f"the answer of {where} cannot be read: {error}") from error
        finally:
            await opened.close()
    if reply.error is not None:
        raise ProtocolError(
            f"{opened.settings.where} does not end subscription {subscription_id}: "
            f"{refusals.describe(reply.error)}{_cause(reply.error)}",
            tag=reply.error.tag,
            identity=reply.error.identity,
        )


def _cause(error: ProtocolError) -> str:
    if error.tag == "access-denied":
        return "; without a rule that allows it nobody may (RFC 8639 §5, nacm:default-deny-all)"
    if error.identity == "no-such-subscription":
        return "; a configured one ends when it leaves the configuration of the device"
    return ""

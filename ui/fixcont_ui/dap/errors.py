"""The numbers that errors have in the protocol, in one table: a code of fixcont's, or of the adapter's, and its number.

A number stands for its code for ever: clients and their users look errors up by it. A new code gets the next number of its
group; one that is gone leaves its number unused.
"""

from __future__ import annotations

from typing import Final

#: The number of a refusal that has none of its own.
GENERAL: Final = 1999

ERROR_IDS: Final[dict[str, int]] = {
    # the protocol and the session, codes of the adapter's own
    "broken-message": 1000,
    "unknown-command": 1001,
    "bad-arguments": 1002,
    "out-of-order": 1003,
    "not-stopped": 1004,
    "stale-reference": 1005,
    "timed-out": 1006,
    "cancelled": 1007,
    "internal-error": 1008,
    "evaluation-failed": 1009,
    "not-supported": 1010,
    "cannot-launch": 1011,
    "cannot-attach": 1012,
    "wrong-token": 1013,
    "debuggee-gone": 1014,
    "no-source": 1015,
    "no-thread-there": 1016,
    "no-answer": 1017,
    "client-connected": 1018,
    "cannot-restart": 1020,
    "interrupted": 1021,
    "no-program": 1022,
    "bad-address": 1023,
    "cannot-listen": 1024,
    "no-exception": 1025,
    "not-installed": 1026,
    # starting
    "unknown-mode": 1100,
    "already-active": 1101,
    "script-from-stdin": 1102,
    # restarting, returning, throwing
    "not-trapped": 1200,
    "entered-before": 1201,
    "not-verified": 1202,
    "would-be-caught": 1203,
    "c-frame-swallowed": 1204,
    "argument-deleted": 1205,
    "class-namespace": 1206,
    "function-gone": 1207,
    "closure-changed": 1208,
    "kind-changed": 1209,
    "parameters-differ": 1210,
    "comprehension": 1211,
    "returning": 1212,
    "unwound": 1213,
    "no-caller-for-value": 1214,
    "handler-passed": 1215,
    "not-an-exception": 1216,
    "not-available": 1217,
    "post-mortem": 1218,
    # going on in the middle
    "statement-gone": 1300,
    "blocks-differ": 1301,
    "no-such-line": 1302,
    "finally-ran": 1303,
    "no-statement": 1304,
    "item-gone": 1305,
    "no-expression": 1306,
    "exit-failed": 1307,
    "no-text": 1308,
    "loop-index": 1309,
    # replaying what is dead
    "blocks-gone": 1350,
    "argument-rebound": 1351,
    "no-parameter": 1352,
    "no-traceback": 1353,
    "not-called-directly": 1354,
    "not-post-mortem": 1355,
    "still-running": 1356,
    "class-body": 1357,
    "generator": 1358,
    # breakpoints and steps
    "nothing-to-step-to": 1400,
    "trace-taken": 1401,
    "no-tool-id": 1402,
    "no-code": 1403,
    "no-function": 1404,
    "bad-condition": 1405,
    "no-breakpoint": 1406,
    "bad-hit-condition": 1407,
    "bad-log-message": 1408,
    "thread-not-watched": 1409,
    # installing
    "syntax-error": 1500,
    "cannot-compile": 1501,
    "file-unreadable": 1502,
    "definition-failed": 1503,
    "import-failed": 1504,
    "slots-changed": 1505,
    "slots-not-applied": 1506,
    "enum-members": 1507,
    "namedtuple-fields": 1508,
    "attrs-fields": 1509,
    "metaclass-changed": 1510,
    "bases-differ": 1511,
    "class-replaced": 1512,
    "migration-failed": 1513,
    "file-gone": 1514,
    "default-not-evaluated": 1515,
    "annotation-not-evaluated": 1516,
    "lambda-not-matched": 1517,
    "decorated-before": 1518,
    "removed-kept": 1519,
    "class-statement-not-run": 1520,
    "class-keyword-not-applied": 1521,
    "no-live-function": 1522,
    "class-not-found": 1523,
    # undoing
    "nothing-to-undo": 1600,
    "undo-text-unknown": 1601,
    "undo-loaded-again": 1602,
    "undo-failed": 1603,
    "migration-kept": 1604,
    # writing files
    "file-changed": 1700,
    "file-not-written": 1701,
    "no-file": 1702,
    "file-not-text": 1703,
    "nothing-missing": 1704,
    "not-a-function": 1705,
    "not-yours": 1706,
    "no-class": 1707,
    "one-line-class": 1708,
    "exists": 1709,
    # commands
    "no-window": 1800,
    "not-assignable": 1801,
    "needs-the-loop": 1802,
    "no-thread": 1803,
    "no-terminal": 1804,
    "editor-failed": 1805,
    "stays-bound": 1806,
    "assigns-elsewhere": 1807,
}


def error_id(code: str) -> int:
    """Give the number of a code, `GENERAL` where it has none."""
    return ERROR_IDS.get(code, GENERAL)

"""How much of one file is read: bounds far above any real file, against one made to fill memory.

All of them are declared here. ``OMR_LIMITS=N`` raises every one N times, for a file that is right
and larger than anything that was known when they were set.
"""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from typing import Final

from analysis.errors import InputError

#: Environment variable that raises all limits by a factor.
VARIABLE: Final = "OMR_LIMITS"


@dataclass(frozen=True, slots=True)
class Limit:
    """A bound on one quantity.

    Attributes
    ----------
    most : int
        The largest amount that is read.
    unit : str
        What is counted.
    reason : str
        Why it is set where it is.
    """

    most: int
    unit: str
    reason: str

    def raised(self) -> int:
        """Return the bound that holds now: `most`, times ``OMR_LIMITS`` where that is set.

        Raises
        ------
        InputError
            ``OMR_LIMITS`` is no number from 1 upwards.
        """
        text = os.environ.get(VARIABLE, "").strip()
        if not text:
            return self.most
        try:
            factor = float(text)
        except ValueError:
            factor = 0.0
        if not 1 <= factor < math.inf:
            raise InputError(f"{VARIABLE}={text} must be a number from 1 upwards")
        return int(self.most * factor)

    def check(self, amount: int, where: str, what: str = "it holds") -> None:
        """Refuse an amount above the limit.

        Parameters
        ----------
        amount : int
            How much there is, in `unit`; so much or more.
        where : str
            The file, for the message.
        what : str
            How the message puts it.

        Raises
        ------
        InputError
            There is more.
        """
        most = self.raised()
        if amount > most:
            raise InputError(
                f"{where}: {what} {amount:,} {self.unit}, more than the {most:,} that are read; if "
                f"the file is right, set {VARIABLE}=N to read N times as much"
            )


#: The largest list read so far as JSON has 4 MB. `{},` is 3 bytes in a file and 72 in memory.
JSON: Final = Limit(256_000_000, "bytes of JSON", "24 times as much in memory at worst: 6 GB")
#: 1.8 million relations, the whole Hub's, are 150 MB.
TABLE: Final = Limit(1_000_000_000, "bytes of text", "read whole; large lists go through Arrow")
CELLS: Final = Limit(50_000_000, "fields", "a field is an object of 60 bytes or more: 3 GB")
#: The longest text of a licence or a release has 80 kB.
PROSE: Final = Limit(10_000_000, "bytes of text", "its sentences are told apart one by one")
WORKBOOK: Final = Limit(500_000_000, "bytes", "held in memory while its sheet is read")
#: The panel unpacks to 14 MB.
UNPACKED: Final = Limit(1_000_000_000, "bytes unpacked", "as told by the archive's own list")
#: The registered archive has 16 thousand repositories and 90 MB.
MEMBERS: Final = Limit(500_000, "members", "half a minute, and half a gigabyte of their heads")
MEMBER: Final = Limit(4_000_000, "bytes in one repository's file", "the largest has 47 kB")
ARCHIVE: Final = Limit(8_000_000_000, "bytes unpacked", "read as a stream; no disk is filled")
#: The Hub had 2.9 million models in 2026.
ROWS: Final = Limit(20_000_000, "rows", "seven Hubs of 2026; three columns of them take 3 GB")
ELEMENTS: Final = Limit(1_000_000_000, "values in one column", "50 tags for each of the rows")
#: What is counted is the columns that are read, not the file.
PARQUET: Final = Limit(8_000_000_000, "bytes in the columns read", "ten million repositories")
#: Rows of the Hub's dumps have 1 to 5 kB in all columns; below so many rows nothing is concluded.
ROW: Final = Limit(100_000, "bytes a row on average", "a long text repeated is told early")
FEW_ROWS: Final = 500
#: A batch of rows with one long text a row; most writers stop a dictionary at 1 MB.
DICTIONARY: Final = Limit(256_000_000, "bytes in one dictionary", "a column's distinct texts")
BATCH_BYTES: Final = 1_000_000_000
BATCH_ROWS: Final = 4096

"""Files that are wrong in every way a file can be, made on the spot. All of them are synthetic.

Each maker writes one file into a folder and returns its path; what it makes is small on disk,
whatever it unpacks to.
"""

from __future__ import annotations

import gzip
import io
import json
import os
import socket
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Maker = Callable[[Path], Path]

ROW = {"id": "a/b", "downloads": 5, "likes": 1, "tags": ["license:mit"]}
#: Enough to fill the memory of any laptop, were it ever unpacked.
ENDLESS = 40_000_000_000


def put(folder: Path, name: str, content: bytes | str) -> Path:
    """Write one file."""
    path = folder / name
    path.write_bytes(
        content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    )
    return path


# --------------------------------------------------------------------------- what is no file


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe")
    return folder / "pipe"


def _socket(folder: Path) -> Path:
    # Addresses of sockets are short, folders of tests are not.
    here = os.open(".", os.O_RDONLY)
    try:
        os.chdir(folder)
        with socket.socket(socket.AF_UNIX) as one:
            one.bind("socket")
    finally:
        os.fchdir(here)
        os.close(here)
    return folder / "socket"


def _loop(folder: Path) -> Path:
    (folder / "one").symlink_to("two")
    (folder / "two").symlink_to("one")
    return folder / "one"


def _dangling(folder: Path) -> Path:
    (folder / "link").symlink_to("gone")
    return folder / "link"


def _folder(folder: Path) -> Path:
    (folder / "inner").mkdir()
    return folder / "inner"


NO_FILES: dict[str, Maker] = {
    "missing": lambda folder: folder / "gone.json",
    "below a file": lambda folder: put(folder, "file", "x") / "inner",
    "name too long": lambda folder: folder / ("x" * 5000),
    "name with escapes": lambda folder: folder / "\x1b[2J\x07gone\nerror: fake\u202e.json",
    "name not UTF-8": lambda folder: folder / os.fsdecode(b"gone\xff\xfe.json"),
    "name with NUL": lambda folder: folder / "gone\0.json",
    "folder": _folder,
    "pipe": _fifo,
    "socket": _socket,
    "/dev/zero": lambda _: Path("/dev/zero"),
    "/dev/full": lambda _: Path("/dev/full"),
    "/dev/null": lambda _: Path("/dev/null"),
    "link to itself": _loop,
    "link to nothing": _dangling,
    "empty": lambda folder: put(folder, "empty", b""),
    "white space": lambda folder: put(folder, "blank", " \n\t \r\n"),
    "byte order mark": lambda folder: put(folder, "bom", b"\xef\xbb\xbf"),
    "huge and empty": lambda folder: _sparse(folder, ENDLESS),
}


def _sparse(folder: Path, size: int) -> Path:
    path = put(folder, "sparse", b"")
    os.truncate(path, size)
    return path


# ---------------------------------------------------------------------------------- Parquet


def hub_table(rows: int = 30) -> pa.Table:
    """Return a table as the Hub's dumps have it."""
    return pa.table(
        {
            "id": [f"org/model-{place}" for place in range(rows)],
            "downloads": list(range(rows)),
            "downloadsAllTime": list(range(100, 100 + rows)),
            "tags": [["license:mit", "x"]] * rows,
            "safetensors": [{"total": 5}] * rows,
        }
    )


def parquet_bytes(table: pa.Table, **options: Any) -> bytes:
    """Write a table."""
    out = io.BytesIO()
    pq.write_table(table, out, **options)
    return out.getvalue()


def _encrypted(folder: Path, *, plaintext_footer: bool) -> Path:
    import pyarrow.parquet.encryption as pe

    class Kms(pe.KmsClient):  # type: ignore[misc]
        def __init__(self, _: object) -> None:
            super().__init__()

        def wrap_key(self, key: bytes, _: str) -> bytes:
            return key.hex().encode()

        def unwrap_key(self, key: bytes, _: str) -> bytes:
            return bytes.fromhex(key.decode())

    table = hub_table().select(["id", "downloads", "downloadsAllTime"])
    factory = pe.CryptoFactory(Kms)
    how = pe.EncryptionConfiguration(
        footer_key="foot",
        column_keys={"col": ["id", "downloads"]},
        plaintext_footer=plaintext_footer,
    )
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), how)
    path = folder / "secret.parquet"
    with pq.ParquetWriter(path, table.schema, encryption_properties=properties) as writer:
        writer.write_table(table)
    return path


def _footer(content: bytes, change: Callable[[bytes], bytes]) -> bytes:
    size = int.from_bytes(content[-8:-4], "little")
    footer = content[-8 - size : -8]
    return content[: -8 - size] + change(footer) + content[-8:]


def _many_rows(folder: Path, groups: int = 40, rows: int = 25_000_000) -> Path:
    """Write 10**9 equal rows in a few kilobytes."""
    ids = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), rows), ["org/model"])
    table = pa.table({"id": ids, "downloads": pa.repeat(7, rows)})
    path = folder / "rows.parquet"
    with pq.ParquetWriter(path, table.schema, compression="zstd", store_schema=False) as writer:
        for _ in range(groups):
            writer.write_table(table, row_group_size=rows)
    return path


def _long_value(folder: Path, rows: int = 200_000, length: int = 1_000_000) -> Path:
    """Write one text of a million letters in a dictionary, with 200,000 rows that point at it."""
    ids = pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int8()), rows), ["x" * length])
    table = pa.table({"id": ids, "downloads": pa.repeat(7, rows)})
    return put(
        folder,
        "text.parquet",
        parquet_bytes(
            table, compression="zstd", dictionary_pagesize_limit=1 << 30, store_schema=False
        ),
    )


def _one_value(folder: Path, length: int = 400_000_000) -> Path:
    """Write one row with one text of 400 million letters, in a few kilobytes."""
    table = pa.table({"id": ["x" * length], "downloads": [1]})
    options = {"use_dictionary": False, "write_statistics": False}
    return put(folder, "value.parquet", parquet_bytes(table, compression="zstd", **options))


def _zero_pages(folder: Path, rows: int = 300_000_000) -> Path:
    """Write plain pages of zeros: gigabytes that compress to nearly nothing."""
    table = pa.table({"id": ["a/b"], "downloads": pa.array([0], pa.int64())})
    zeros = pa.Array.from_buffers(pa.int64(), rows, [None, pa.py_buffer(bytes(8 * rows))])
    texts = pa.repeat("a/b", 1).take(pa.repeat(pa.scalar(0, pa.int8()), rows))
    table = pa.table({"id": texts, "downloads": zeros})
    return put(
        folder,
        "zeros.parquet",
        parquet_bytes(
            table,
            compression="zstd",
            use_dictionary=False,
            row_group_size=rows,
            data_page_size=1 << 30,
            write_statistics=False,
        ),
    )


def _columns(folder: Path, count: int = 100_000) -> Path:
    columns = {f"column_{place}": pa.array([1]) for place in range(count)}
    table = pa.table({"id": ["a/b"], "downloads": [1]} | columns)
    return put(folder, "wide.parquet", parquet_bytes(table, compression="none"))


def _groups(folder: Path, count: int = 20_000) -> Path:
    table = hub_table(count).select(["id", "downloads"])
    return put(folder, "groups.parquet", parquet_bytes(table, row_group_size=1, compression="none"))


def _lists(folder: Path, rows: int = 2_000_000) -> Path:
    """Write lists of a hundred equal tags a row: 2 * 10**8 texts in a few kilobytes."""
    flat = pa.DictionaryArray.from_arrays(
        pa.repeat(pa.scalar(0, pa.int8()), rows * 100), ["x" * 50]
    )
    offsets = pa.array(range(0, rows * 100 + 1, 100), pa.int32())
    tags = pa.ListArray.from_arrays(offsets, flat)
    table = pa.table({"id": pa.repeat("a/b", rows), "downloads": pa.repeat(7, rows), "tags": tags})
    return put(
        folder, "lists.parquet", parquet_bytes(table, compression="zstd", store_schema=False)
    )


_WHOLE = parquet_bytes(hub_table())

PARQUETS: dict[str, Maker] = {
    **{
        f"Parquet cut at {share} of 100": (
            lambda folder, share=share: put(  # type: ignore[misc]
                folder, "cut.parquet", _WHOLE[: len(_WHOLE) * share // 100]
            )
        )
        for share in (0, 1, 5, 20, 50, 80, 95, 99)
        if share
    },
    "Parquet without its last byte": lambda folder: put(folder, "cut.parquet", _WHOLE[:-1]),
    "Parquet, only the mark": lambda folder: put(folder, "mark.parquet", b"PAR1"),
    "Parquet, two marks": lambda folder: put(folder, "mark.parquet", b"PAR1" * 2),
    "Parquet, footer of zero bytes": lambda folder: put(
        folder, "foot.parquet", b"PAR1" + bytes(4) + b"PAR1"
    ),
    "Parquet, footer longer than the file": lambda folder: put(
        folder, "foot.parquet", _WHOLE[:-8] + b"\xff\xff\xff\x7fPAR1"
    ),
    "Parquet, footer of negative length": lambda folder: put(
        folder, "foot.parquet", _WHOLE[:-8] + b"\xff\xff\xff\xffPAR1"
    ),
    "Parquet, footer of zeros": lambda folder: put(
        folder, "foot.parquet", _footer(_WHOLE, lambda foot: bytes(len(foot)))
    ),
    "Parquet, footer turned round": lambda folder: put(
        folder, "foot.parquet", _footer(_WHOLE, lambda foot: foot[::-1])
    ),
    "Parquet, footer with bits flipped": lambda folder: put(
        folder, "foot.parquet", _footer(_WHOLE, lambda foot: bytes(b ^ 0x40 for b in foot))
    ),
    "Parquet, pages overwritten": lambda folder: put(
        folder, "page.parquet", b"PAR1" + b"\xff" * 600 + _WHOLE[604:]
    ),
    "Parquet, pages of zeros": lambda folder: put(
        folder, "page.parquet", b"PAR1" + bytes(600) + _WHOLE[604:]
    ),
    "Parquet, all encrypted": lambda folder: _encrypted(folder, plaintext_footer=False),
    "Parquet, columns encrypted": lambda folder: _encrypted(folder, plaintext_footer=True),
    "Parquet of 10^9 equal rows": _many_rows,
    "Parquet, one long text 200,000 times": _long_value,
    "Parquet, one text of 400 million letters": _one_value,
    "Parquet, pages of zeros that unpack to 4 GB": _zero_pages,
    "Parquet, lists of 2 * 10^8 texts": _lists,
    "Parquet of 100,000 columns": _columns,
    "Parquet of 20,000 row groups": _groups,
    "Parquet of another table": lambda folder: put(
        folder, "other.parquet", parquet_bytes(pa.table({"x": [1]}))
    ),
    "Parquet without columns": lambda folder: put(
        folder, "none.parquet", parquet_bytes(pa.table({}))
    ),
    "Parquet without rows": lambda folder: put(folder, "none.parquet", parquet_bytes(hub_table(0))),
    "Parquet, columns twice": lambda folder: put(
        folder,
        "twice.parquet",
        parquet_bytes(pa.table([["a/b"], [1], ["c/d"]], names=["id", "downloads", "id"])),
    ),
    "Parquet, names of escapes": lambda folder: put(
        folder, "names.parquet", parquet_bytes(pa.table({"\x1b[2J\n\u202e" * 40: [1]}))
    ),
}


# ------------------------------------------------------------------------------------- JSON

_LIST = json.dumps([ROW])

JSONS: dict[str, Maker] = {
    name: (lambda folder, content=content: put(folder, "bad.json", content))  # type: ignore[misc]
    for name, content in {
        "JSON null": "null",
        "JSON number": "5",
        "JSON text": '"a"',
        "JSON true": "true",
        "JSON object": '{"a": 1}',
        "JSON empty list": "[]",
        "JSON empty object": "{}",
        "JSON list of lists": "[[1], [2]]",
        "JSON list of nulls": "[null, null]",
        "JSON cut off": _LIST[:-20],
        "JSON twice": _LIST + _LIST,
        "JSON lines": "\n".join([json.dumps(ROW)] * 3),
        "JSON nested 100,000 lists deep": "[" * 100_000 + "]" * 100_000,
        "JSON nested 100,000 objects deep": '{"a":' * 100_000 + "1" + "}" * 100_000,
        "JSON nested 900 deep in a value": '[{"id": "a/b", "downloads": '
        + "[" * 900
        + "]" * 900
        + "}]",
        "JSON number of a million digits": f'[{{"id": "a/b", "downloads": {"9" * 1_000_000}}}]',
        "JSON number of a million digits after the point": (
            f'[{{"id": "a/b", "downloads": 0.{"9" * 1_000_000}}}]'
        ),
        "JSON with NaN": '[{"id": "a/b", "downloads": NaN, "likes": -Infinity}]',
        "JSON with a key twice": '[{"id": "a/b", "id": "c/d", "downloads": 5, "downloads": 7}]',
        "JSON with half characters": (
            '[{"id": "a/\\ud800", "downloads": 5, "\\udfff": 5, "tags": ["\\ud83d"]}]'
        ),
        "JSON keys of escapes": '{"\\u001b[2J\\n\\u202e": [], "models": 5}',
        "JSON key of a million letters": '[{"' + "k" * 1_000_000 + '": 5}]',
        "JSON keys of half characters": '{"\\ud800": 1}',
        "JSON of odd types": '[{"id": {"a": 1}, "downloads": [1], "tags": {"a": 1}, "likes": ""}]',
        "JSON id of a million letters": (
            '[{"id": "' + "a" * 1_000_000 + '", "downloads": 5}, {"id": "a/b", "downloads": 5}]'
        ),
        "JSON in UTF-16": _LIST.encode("utf-16"),
        "JSON in UTF-32": _LIST.encode("utf-32"),
        "JSON in Latin-1": '[{"id": "é/b"}]'.encode("latin-1"),
        "JSON with NUL": "[\0]",
        "JSON compressed": gzip.compress(_LIST.encode()),
    }.items()
}


def _long_text(folder: Path, size: int = 300_000_000) -> Path:
    path = folder / "long.json"
    with path.open("wb") as out:
        out.write(b'[{"id": "a/b", "downloads": 5, "tags": ["')
        for _ in range(size // 1_000_000):
            out.write(b"x" * 1_000_000)
        out.write(b'"]}]')
    return path


def _many_objects(folder: Path, count: int = 150_000_000) -> Path:
    path = folder / "many.json"
    with path.open("wb") as out:
        out.write(b'[{"id": "a/b", "downloads": 5}')
        for _ in range(count // 1_000_000):
            out.write(b",{}" * 1_000_000)
        out.write(b"]")
    return path


LARGE_JSONS: dict[str, Maker] = {
    "JSON text of 300 MB": _long_text,
    "JSON list of 150 million objects": _many_objects,
}


# -------------------------------------------------------------------------------------- CSV

CSVS: dict[str, Maker] = {
    name: (lambda folder, content=content: put(folder, "bad.csv", content))  # type: ignore[misc]
    for name, content in {
        "CSV quote never closed": 'id,downloads\n"a/b,5\n' + "a/c,5\n" * 1000,
        "CSV quote never closed, tracked": 'org,model,modelId\na,"b,a/b\n' + "a,b,a/b\n" * 1000,
        "CSV with NUL": b"id,downloads\na/\0b,5\n",
        "CSV of NUL": bytes(1000),
        "CSV of a million columns": ",".join(f"c{place}" for place in range(1_000_000))
        + "\n"
        + ",".join("1" for _ in range(1_000_000))
        + "\n",
        "CSV of a million equal columns": "x," * 1_000_000 + "x\n",
        "CSV field of 50 MB": "id,downloads\n" + "x" * 50_000_000 + ",5\n",
        "CSV edge of 50 MB": "source,target,edge\n" + "x" * 50_000_000 + ",a/b,merged\n",
        "CSV rows of other lengths": "id,downloads\na/b\na/b,5,6\n",
        "CSV header only": "id,downloads\n",
        "CSV of commas": "," * 5_000,
        "CSV in UTF-16": "org,model,modelId\na,b,a/b\n".encode("utf-16"),
        "CSV with a byte order mark twice": b"\xef\xbb\xbf\xef\xbb\xbfid,downloads\na/b,5\n",
        "CSV with carriage returns": "id,downloads\ra/b,5\r",
        "CSV header of escapes": "\x1b[2J\u202e,\x07\na,b\n",
        "CSV comments only": "# one\n# two\n",
        "HTML instead of data": "<!DOCTYPE html>\n<html><body>Please log in</body></html>\n",
        "an LFS pointer": (
            "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 12345\n"
        ),
        "noise": bytes(range(256)) * 40,
    }.items()
}


# -------------------------------------------------------------------------------- workbooks


def _zip(folder: Path, members: dict[str, bytes | int], name: str = "bad.xlsx") -> Path:
    """Write a zip; a number stands for so many zeros."""
    path = folder / name
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
        for member, content in members.items():
            if isinstance(content, bytes):
                out.writestr(member, content)
                continue
            with out.open(member, "w", force_zip64=True) as stream:
                for _ in range(content // 1_000_000):
                    stream.write(bytes(1_000_000))
    return path


_HEAD = (
    "time",
    "model",
    "author",
    "org_country_single",
    "merged_country_groups_single",
    "derived_author",
    "derived_org_country_single",
    "merged_derived_country_groups_single",
    "downloadsAllTime",
    "created",
)


def workbook_bytes(rows: int = 5) -> bytes:
    """Return a small panel."""
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(list(_HEAD))
    for place in range(rows):
        sheet.append(
            ["2025-03-05", f"a/{place}", "a", "c", "g", "d", "e", "f", place, "2025-01-01"]
        )
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _sheet(folder: Path, change: Callable[[bytes], bytes]) -> Path:
    with zipfile.ZipFile(io.BytesIO(workbook_bytes())) as whole:
        members: dict[str, bytes | int] = {one: whole.read(one) for one in whole.namelist()}
    sheet = members["xl/worksheets/sheet1.xml"]
    assert isinstance(sheet, bytes)
    members["xl/worksheets/sheet1.xml"] = change(sheet)
    return _zip(folder, members)


def _lying(folder: Path) -> Path:
    """Say that the sheet, 1.2 GB of white space, has 100 bytes."""
    filler = b" " * 1_200_000_000
    path = _sheet(folder, lambda sheet: sheet.replace(b"<sheetData>", filler + b"<sheetData>", 1))
    with zipfile.ZipFile(path) as made:
        size = made.getinfo("xl/worksheets/sheet1.xml").file_size
    content = path.read_bytes()
    path.write_bytes(content.replace(size.to_bytes(4, "little"), (100).to_bytes(4, "little")))
    return path


_LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(
        f'<!ENTITY {chr(98 + place)} "{f"&{chr(97 + place)};" * 10}">'.encode()
        for place in range(12)
    )
    + b"]>"
)


def _far_row(sheet: bytes) -> bytes:
    far = b'<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>x</t></is></c></row>'
    return sheet.replace(b"</sheetData>", far + b"</sheetData>")


WORKBOOKS: dict[str, Maker] = {
    "workbook cut off": lambda folder: put(folder, "cut.xlsx", workbook_bytes()[:3000]),
    "zip without members": lambda folder: _zip(folder, {}),
    "zip of another thing": lambda folder: _zip(folder, {"a.txt": b"x"}),
    "zip of 70,000 members": lambda folder: _zip(folder, {f"m{i}": b"" for i in range(70_000)}),
    "zip that leads out": lambda folder: _zip(folder, {"../../etc/x": b"x", "/abs": b"x"}),
    "zip in a zip": lambda folder: _zip(
        folder, {"inner.zip": _zip(folder, {"z": 100_000_000}, "inner").read_bytes()}
    ),
    "zip bomb of 2 GB": lambda folder: _zip(
        folder, {"xl/worksheets/sheet1.xml": 2_000_000_000, "[Content_Types].xml": b"x"}
    ),
    "sheet of entities in entities": lambda folder: _sheet(
        folder,
        lambda sheet: _LAUGHS + sheet[sheet.find(b"<worksheet") :].replace(b"a/1", b"&m;", 1),
    ),
    "sheet with a cell far out": lambda folder: _sheet(folder, _far_row),
    "sheet cut off": lambda folder: _sheet(folder, lambda sheet: sheet[: len(sheet) // 2]),
    "sheet of zeros": lambda folder: _sheet(folder, lambda _: bytes(1000)),
}

LARGE_WORKBOOKS: dict[str, Maker] = {"workbook that lies about its size": _lying}


# --------------------------------------------------------------------------------- archives


def _tar(folder: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    path = folder / "bad.tar.gz"
    with tarfile.open(path, "w:gz") as out:
        for member, content in members:
            out.addfile(member, io.BytesIO(content))
    return path


def _member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> Any:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = size, kind, link
    return info


GOOD = json.dumps(ROW | {"created_at": "2026-08-15T00:00:00Z"}).encode()


def _gzip_of(folder: Path, head: bytes, zeros: int, name: str = "bad.tar.gz") -> Path:
    path = folder / name
    with gzip.open(path, "wb", compresslevel=1) as out:
        out.write(head)
        for _ in range(zeros // 10_000_000):
            out.write(bytes(10_000_000))
    return path


def _declared(size: int, kind: bytes = tarfile.REGTYPE, name: str = "top/data/a/b.json") -> bytes:
    return bytes(_member(name, size, kind).tobuf(tarfile.GNU_FORMAT))


ARCHIVES: dict[str, Maker] = {
    "gzip of nothing": lambda folder: put(folder, "bad.tar.gz", gzip.compress(b"")),
    "gzip of text": lambda folder: put(folder, "bad.tar.gz", gzip.compress(b"not a tar" * 500)),
    "gzip cut off": lambda folder: put(folder, "bad.tar.gz", gzip.compress(GOOD * 50)[:40]),
    "gzip mark only": lambda folder: put(folder, "bad.tar.gz", b"\x1f\x8b"),
    "archive of a good and a '..' name": lambda folder: _tar(
        folder,
        (_member("top/data/a/b.json", len(GOOD)), GOOD),
        (_member("top/data/../../../x.json", 1), b"x"),
    ),
    "archive of an absolute name": lambda folder: _tar(folder, (_member("/etc/x.json", 1), b"x")),
    "archive of links": lambda folder: _tar(
        folder,
        (_member("top/data/a/b.json", kind=tarfile.SYMTYPE, link="/etc/passwd"), b""),
        (_member("top/data/a/c.json", kind=tarfile.LNKTYPE, link="/etc/passwd"), b""),
    ),
    "archive of devices": lambda folder: _tar(
        folder,
        (_member("top/data/a/b.json", kind=tarfile.CHRTYPE), b""),
        (_member("top/data/a/c.json", kind=tarfile.FIFOTYPE), b""),
    ),
    "archive of names of escapes": lambda folder: _tar(
        folder, (_member("top/data/\x1b[2J\n/x.json", 1), b"x")
    ),
    "archive of a member of 4 EB": lambda folder: _gzip_of(folder, _declared(2**62), 0),
    "archive of a sparse member of 4 EB": lambda folder: _gzip_of(
        folder, _declared(2**62, tarfile.GNUTYPE_SPARSE), 0
    ),
    "archive of a member of 1 GB": lambda folder: _gzip_of(
        folder, _declared(1_000_000_000), 1_000_000_000
    ),
    "archive with a header of 1 GB": lambda folder: _gzip_of(
        folder, _declared(1_000_000_000, tarfile.XHDTYPE), 1_000_000_000
    ),
    "archive with a long name of 1 GB": lambda folder: _gzip_of(
        folder, _declared(1_000_000_000, tarfile.GNUTYPE_LONGNAME), 1_000_000_000
    ),
    "archive of 100,000 empty members": lambda folder: put(
        folder, "bad.tar.gz", gzip.compress(_declared(0) * 100_000)
    ),
}

SMALL: dict[str, Maker] = NO_FILES | JSONS | CSVS | WORKBOOKS | ARCHIVES
ALL: dict[str, Maker] = SMALL | PARQUETS | LARGE_JSONS | LARGE_WORKBOOKS

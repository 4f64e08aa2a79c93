"""The container of a saved file: a ZIP archive of uncompressed records, laid out as PyTorch lays them out.

Every record's data starts at a multiple of 64 bytes from the beginning of the archive, so that a file can be mapped
into memory and its records used where they lie. The writer only ever appends and therefore works on pipes. The
reader trusts nothing: every offset and size is checked against the file, records may not overlap, names may not
leave the archive, and compressed records may not grow beyond bounds. All complaints are ``RuntimeError``.

Format: PKWARE's APPNOTE.TXT 6.3.10 (local headers with data descriptors, ZIP64 where 32 bits do not suffice).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from typing import Any, NamedTuple

ALIGNMENT = 64

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_NAME_IS_UTF8, _SIZES_FOLLOW = 0x0800, 0x0008
_WIDE = 0xFFFFFFFF
_STORED, _DEFLATED = 0, 8
_ZIP64_FIELD, _PADDING_FIELD = 1, 0x4246
_CHUNK = 1 << 24

# An archive whose compressed records grow more than this is taken for a bomb.
_GROWTH, _HARMLESS = 200, 1 << 24


class ArchiveWriter:
    """Writes records one after the other to anything with a ``write`` method."""

    def __init__(self, file: Any, name: str, checksums: bool = True) -> None:
        self._write_bytes = file.write
        self._name = name
        self._checksums = checksums
        self._position = 0
        self._directory: list[bytes] = []
        self._digest = 0
        self._names_digest = 0

    def _write(self, data: Any) -> None:
        self._write_bytes(data)
        self._position += len(data)

    def add(self, name: str, data: Any) -> None:
        """Append a record; ``data`` is anything with the buffer interface."""
        view = memoryview(data).cast("B")
        checksum = zlib.crc32(view) if self._checksums else 0
        self._add(name, len(view), checksum, (view[start : start + _CHUNK] for start in range(0, len(view), _CHUNK)))

    def add_hole(self, name: str, size: int) -> None:
        """Append a record of ``size`` zero bytes, without a checksum, to be filled in later."""
        zeros = bytes(min(size, _CHUNK))
        self._add(name, size, 0, (zeros[: size - start] for start in range(0, size, _CHUNK)))

    def _add(self, name: str, size: int, checksum: int, chunks: Iterable[Any]) -> None:
        encoded = f"{self._name}/{name}".encode()
        offset, wide = self._position, size >= _WIDE
        extra = struct.pack("<2H2Q", _ZIP64_FIELD, 16, 0, 0) if wide else b""
        start = offset + _LOCAL.size + len(encoded) + len(extra) + 4
        padding = -start % ALIGNMENT
        extra += struct.pack("<2H", _PADDING_FIELD, padding) + b"Z" * padding
        empty = _WIDE if wide else 0
        flags = _NAME_IS_UTF8 | (_SIZES_FOLLOW if size else 0)
        self._write(_LOCAL.pack(b"PK\3\4", 0, flags, _STORED, 0, 0, 0, empty, empty, len(encoded), len(extra)))
        self._write(encoded + extra)
        for chunk in chunks:
            self._write(chunk)
        if size:
            self._write(struct.pack("<4sL2Q" if wide else "<4s3L", b"PK\7\x08", checksum, size, size))

        large = [number for number in (size, size, offset) if number >= _WIDE]
        field = struct.pack(f"<2H{len(large)}Q", _ZIP64_FIELD, 8 * len(large), *large) if large else b""
        narrow, place = min(size, _WIDE), min(offset, _WIDE)
        numbers = (0, 0, flags, _STORED, 0, 0, checksum, narrow, narrow, len(encoded), len(field), 0, 0, 0, 0, place)
        self._directory.append(_CENTRAL.pack(b"PK\1\2", *numbers) + encoded + field)
        self._digest = zlib.crc32(struct.pack("<L", checksum), self._digest)
        self._names_digest = zlib.crc32(encoded, self._names_digest)

    @property
    def identity(self) -> str:
        """Forty digits that depend on the names and contents of all records so far."""
        return f"{self._names_digest:020d}{self._digest:020d}"

    def close(self) -> None:
        """Append the directory, without which the archive cannot be read."""
        start = self._position
        for entry in self._directory:
            self._write(entry)
        end, count = self._position, len(self._directory)
        size = end - start
        self._write(_END64.pack(b"PK\6\6", _END64.size - 12, 0x031E, 45, 0, 0, count, count, size, start))
        self._write(_LOCATOR64.pack(b"PK\6\7", 0, end, 1))
        few = min(count, 0xFFFF)
        self._write(_END.pack(b"PK\5\6", 0, 0, few, few, min(size, _WIDE), min(start, _WIDE), 0))


class _Record(NamedTuple):
    header: int
    stored: int
    size: int
    checksum: int
    method: int


def looks_like_archive(start: bytes) -> bool:
    """Whether a file that begins with these bytes is a ZIP archive."""
    return start[:4] in (b"PK\3\4", b"PK\5\6")


def _corrupt(why: str) -> RuntimeError:
    return RuntimeError(
        f"failed reading zip archive: {why}. The checkpoint is truncated or corrupt: it was not saved or "
        "transferred completely, or was changed afterwards. Save or copy it again."
    )


class ArchiveReader:
    """Reads records from a file object (``seek`` and ``read``) or from bytes in memory.

    Args:
        source: the file or a bytes-like object.
        start: where the archive begins in it.
        checksums: whether to verify them.

    Raises:
        RuntimeError: the archive is damaged or is not what it claims to be.
    """

    def __init__(self, source: Any, start: int = 0, checksums: bool = True) -> None:
        self._start = start
        self._checksums = checksums
        self._memory: memoryview | None = None
        if hasattr(source, "seek") and hasattr(source, "read") and not _is_buffer(source):
            self._file = source
            source.seek(0, 2)
            self._size = source.tell() - start
        else:
            self._memory = memoryview(source).cast("B")[start:]
            self._size = len(self._memory)
        self._may_grow = _HARMLESS + _GROWTH * self._size
        self._records = self._read_directory()
        self.name = self._common_folder()

    def _bytes_at(self, offset: int, size: int) -> bytes | memoryview:
        if offset < 0 or size < 0 or offset + size > self._size:
            raise _corrupt(f"{size} bytes at offset {offset} lie outside the file's {self._size}")
        if self._memory is not None:
            return self._memory[offset : offset + size]
        self._file.seek(self._start + offset)
        data = self._file.read(size)
        if len(data) != size:
            raise _corrupt(f"only {len(data)} of {size} bytes could be read at offset {offset}")
        return data

    def _find_end(self) -> tuple[int, int, int, int]:
        """Where the directory's description begins; the directory's entries, size and offset."""
        reach = min(self._size, _END.size + 0xFFFF)
        tail = bytes(self._bytes_at(self._size - reach, reach))
        place = len(tail)
        while True:
            place = tail.rfind(b"PK\5\6", 0, place)
            if place < 0:
                raise _corrupt("failed finding central directory")
            if place + _END.size <= len(tail):
                _, disk, first_disk, _, count, size, offset, comment = _END.unpack_from(tail, place)
                if place + _END.size + comment == len(tail):
                    break
        if disk or first_disk:
            raise _corrupt("it is split over several disks")
        end = self._size - reach + place
        locator = end - _LOCATOR64.size
        if locator >= 0 and bytes(self._bytes_at(locator, 4)) == b"PK\6\7":
            _, _, where, disks = _LOCATOR64.unpack(self._bytes_at(locator, _LOCATOR64.size))
            # Written relative to the archive; something may stand before it, so look next to the locator too.
            for candidate in (where, locator - _END64.size):
                if 0 <= candidate <= locator - _END64.size and bytes(self._bytes_at(candidate, 4)) == b"PK\6\6":
                    fields = _END64.unpack(self._bytes_at(candidate, _END64.size))
                    return candidate, fields[7], fields[8], fields[9]
            if disks > 1 or _WIDE in (size, offset) or count == 0xFFFF:
                raise _corrupt("the ZIP64 end of central directory is missing")
        return end, count, size, offset

    def _read_directory(self) -> dict[str, _Record]:
        end, count, size, offset = self._find_end()
        # Anything that stands before the archive shifts all its offsets by the same amount.
        shift = end - size - offset
        if shift < 0:
            raise _corrupt("the central directory lies outside the file")
        directory = bytes(self._bytes_at(offset + shift, size))
        if count * _CENTRAL.size > size:
            raise _corrupt(f"the central directory is too small for {count} records")
        records: dict[str, _Record] = {}
        position = 0
        for _ in range(count):
            if position + _CENTRAL.size > size:
                raise _corrupt("the central directory ends in the middle of an entry")
            fields = _CENTRAL.unpack_from(directory, position)
            signature, _, _, flags, method, _, _, checksum, stored, full = fields[:10]
            name_size, extra_size, comment_size, header = fields[10], fields[11], fields[12], fields[16]
            if signature != b"PK\1\2":
                raise _corrupt("the central directory holds something that is not an entry")
            position += _CENTRAL.size
            after = position + name_size + extra_size + comment_size
            if after > size:
                raise _corrupt("the central directory ends in the middle of an entry")
            name = _checked_name(directory[position : position + name_size])
            extra = directory[position + name_size : position + name_size + extra_size]
            full, stored, header = _wide_numbers(extra, full, stored, header)
            position = after
            if flags & 1:
                raise _corrupt(f"record {name} is encrypted")
            if name in records:
                raise _corrupt(f"there are two records called {name}")
            records[name] = _Record(header + shift, stored, full, checksum, method)
        # Overlapping records would let a small file stand for any amount of data.
        free = 0
        for name, record in sorted(records.items(), key=lambda item: item[1].header):
            if record.header < free:
                raise _corrupt(f"record {name} overlaps the one before it")
            free = record.header + _LOCAL.size + len(name.encode()) + record.stored
            if free > offset + shift:
                raise _corrupt(f"record {name} reaches beyond the end of the data")
        return records

    def _common_folder(self) -> str:
        if not self._records:
            raise _corrupt("it holds no records")
        # Archivers add folders of their own; the one that counts holds the pickle.
        folders = [name.rpartition("/")[0] for name in self._records if name.endswith("/data.pkl")]
        folders = folders or [name.rpartition("/")[0] for name in self._records]
        return min(folders, key=len)

    def __contains__(self, name: str) -> bool:
        return f"{self.name}/{name}" in self._records

    def names(self) -> list[str]:
        """The names of all records, without the common folder."""
        return [name[len(self.name) + 1 :] for name in self._records]

    def _record(self, name: str) -> _Record:
        record = self._records.get(f"{self.name}/{name}")
        if record is None:
            raise _corrupt(f"file not found: {self.name}/{name}")
        return record

    def size(self, name: str) -> int:
        """The number of bytes in a record, without reading it."""
        return self._record(name).size

    def offset(self, name: str) -> int:
        """Where an uncompressed record's data begins, counted from the beginning of the archive."""
        record = self._record(name)
        if record.method != _STORED:
            raise RuntimeError(
                f"record {name} is compressed and cannot be mapped into memory; load with mmap=False, or save again"
            )
        return self._data_offset(name, record)

    def _data_offset(self, name: str, record: _Record) -> int:
        fields = _LOCAL.unpack(self._bytes_at(record.header, _LOCAL.size))
        full_name = f"{self.name}/{name}".encode()
        begin = record.header + _LOCAL.size
        if fields[0] != b"PK\3\4" or fields[9] != len(full_name) or self._bytes_at(begin, fields[9]) != full_name:
            raise _corrupt(f"record {name} does not begin with its own header")
        data = begin + fields[9] + fields[10]
        if data + record.stored > self._size:
            raise _corrupt(f"record {name} reaches beyond the end of the file")
        return data

    def read(self, name: str, limit: int | None = None) -> bytes | memoryview:
        """A record's bytes, their checksum verified. ``limit`` refuses larger records before reading them."""
        record = self._record(name)
        if limit is not None and record.size > limit:
            raise _corrupt(f"record {name} has {record.size} bytes where at most {limit} make sense")
        stored = self._bytes_at(self._data_offset(name, record), record.stored)
        if record.method == _STORED:
            if record.stored != record.size:
                raise _corrupt(f"record {name} has {record.stored} bytes but claims {record.size}")
            data: bytes | memoryview = stored
        elif record.method == _DEFLATED:
            self._may_grow -= record.size
            if self._may_grow < 0:
                raise _corrupt(
                    f"record {name} claims to grow from {record.stored} to {record.size} bytes; if you trust the file, "
                    "store its records uncompressed first (zip -0)"
                )
            data = _inflate(name, stored, record.size)
        else:
            raise _corrupt(f"record {name} is compressed by method {record.method}, which is not supported")
        self._check(name, record, data)
        return data

    def read_into(self, name: str, target: memoryview) -> None:
        """Fill ``target`` with a record of exactly its size."""
        record = self._record(name)
        if record.size != len(target):
            raise _corrupt(f"record {name} has {record.size} bytes where {len(target)} are needed")
        if record.method != _STORED or self._memory is not None or not hasattr(self._file, "readinto"):
            target[:] = self.read(name)
            return
        if record.stored != record.size:
            raise _corrupt(f"record {name} has {record.stored} bytes but claims {record.size}")
        self._file.seek(self._start + self._data_offset(name, record))
        done = 0
        while done < len(target):
            count = self._file.readinto(target[done:])
            if not count:
                raise _corrupt(f"record {name} ends after {done} of {len(target)} bytes")
            done += count
        self._check(name, record, target)

    def _check(self, name: str, record: _Record, data: Any) -> None:
        # A checksum of zero stands for one that was not computed: set_crc32_options(False).
        if self._checksums and record.checksum and zlib.crc32(data) != record.checksum:
            raise RuntimeError(
                f"failed reading zip archive: the checksum of record {name} does not match its contents. The "
                "checkpoint is corrupt, or it was changed in place on purpose; then "
                "torch.serialization.set_crc32_options(False) lets it load"
            )


def _is_buffer(source: Any) -> bool:
    try:
        memoryview(source)
    except TypeError:
        return False
    return True


def _checked_name(encoded: bytes) -> str:
    try:
        name = encoded.decode()
    except UnicodeDecodeError:
        raise _corrupt("a record's name is not UTF-8") from None
    if name.startswith("/") or "\\" in name or "\0" in name or ".." in name.split("/") or name[1:2] == ":":
        raise _corrupt(f"the record name {name!r} leaves the archive")
    return name


def _wide_numbers(extra: bytes, *numbers: int) -> tuple[int, ...]:
    """Sizes and offsets, those that do not fit 32 bits replaced from the ZIP64 field."""
    if _WIDE not in numbers:
        return numbers
    position = 0
    while position + 4 <= len(extra):
        kind, size = struct.unpack_from("<2H", extra, position)
        if kind == _ZIP64_FIELD and size % 8 == 0 and position + 4 + size <= len(extra):
            wide = iter(struct.unpack_from(f"<{size // 8}Q", extra, position + 4))
            widened = tuple(next(wide, -1) if number == _WIDE else number for number in numbers)
            if -1 not in widened:
                return widened
            break
        position += 4 + size
    raise _corrupt("a large record lacks its ZIP64 field")


def _inflate(name: str, stored: bytes | memoryview, size: int) -> bytes:
    machine = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        data = machine.decompress(stored, size + 1)
    except zlib.error as error:
        raise _corrupt(f"record {name} cannot be decompressed ({error})") from None
    if len(data) != size:
        raise _corrupt(f"record {name} does not decompress to the {size} bytes it claims")
    return data

"""Files go both ways between flambeau and PyTorch, and bad files do no harm."""

import collections
import copy
import io
import mmap
import os
import pickle
import random
import re
import stat
import struct
import sys
import time
import zipfile

import numpy as np
import pytest

import flambeau
from flambeau import serialization
from flambeau.core import dtypes
from flambeau.serialization.archive import ArchiveReader, ArchiveWriter

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

DTYPES = (
    "bool uint8 int8 int16 int32 int64 uint16 uint32 uint64 float16 bfloat16 float32 float64 complex64 complex128 "
    "float8_e5m2 float8_e4m3fn complex32"
).split()


def saved(value, library=torch, **options):
    buffer = io.BytesIO()
    library.save(value, buffer, **options)
    buffer.seek(0)
    return buffer


def there_and_back(value, **options):
    return flambeau.load(saved(value, flambeau), **options)


def archive(pickled, **records):
    """An archive with this pickle and these storages."""
    buffer = io.BytesIO()
    writer = ArchiveWriter(buffer, "archive")
    writer.add("data.pkl", pickled)
    writer.add("byteorder", sys.byteorder.encode())
    for key, data in records.items():
        writer.add("data/" + key.lstrip("_"), data)
    writer.close()
    buffer.seek(0)
    return buffer


def literal(value):
    """The opcodes that push a plain value."""
    return pickle.dumps(value, 2)[2:-1]


def storage_id(kind="torch\nFloatStorage", key="0", location="cpu", count=4):
    return (
        b"("
        + literal("storage")
        + b"c"
        + kind.encode()
        + b"\n"
        + literal(key)
        + literal(location)
        + literal(count)
        + b"tQ"
    )


def tensor_pickle(offset=0, size=(4,), stride=(1,), **storage):
    described = storage_id(**storage) + literal(offset) + literal(size) + literal(stride) + literal(False)
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + described + b"ccollections\nOrderedDict\n)RtR."


FOUR = np.arange(4, dtype=np.float32).tobytes()


class Mine:
    def __init__(self):
        self.x = 3


class Slotted:
    __slots__ = ("a",)


class MyTensor(flambeau.Tensor):
    pass


@pytest.fixture(autouse=True)
def _clean():
    yield
    serialization.clear_safe_globals()
    serialization.set_crc32_options(True)
    serialization.set_default_load_endianness(None)
    serialization.set_default_mmap_options(mmap.MAP_PRIVATE)


# Both ways


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_both_ways(name):
    wanted = getattr(torch, name)
    theirs = torch.tensor([0, 1, 1, 0, 1, 1]).to(wanted).reshape(2, 3)
    ours = flambeau.load(saved(theirs))
    assert ours.dtype is getattr(flambeau, name) and repr(ours) == repr(theirs)
    back = torch.load(saved(ours, flambeau))
    assert back.dtype is wanted and repr(back) == repr(theirs)


def mixed():
    base = torch.arange(12.0).reshape(3, 4)
    return {
        "base": base,
        "row": base[1],
        "transposed": base.t(),
        "step": base[:, ::2],
        "expanded": torch.ones(1).expand(5),
        "scalar": torch.tensor(3, dtype=torch.bfloat16),
        "empty": torch.zeros(0, 3),
        "leaf": torch.ones(2, requires_grad=True),
        "last": torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last),
        "nested": [(1, "x", 2.5, None, True, -(10**40), "é\ud800"), {1, 2}, b"abc", bytearray(b"q"), 1 + 2j],
        "things": [torch.float16, torch.Size([1, 2]), torch.device("cpu"), torch.device("cuda:1")],
        "counts": collections.Counter("aab"),
        5: {"deep": {"deeper": [torch.tensor([1, 2])]}},
    }


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=["archive", "stream"])
@pytest.mark.parametrize("weights_only", [True, False])
def test_nested_objects_both_ways(options, weights_only):
    theirs = mixed()
    ours = flambeau.load(saved(theirs, **options), weights_only=weights_only)
    assert repr(ours) == repr(theirs)
    for key, value in theirs.items():
        if isinstance(value, torch.Tensor):
            assert ours[key].stride() == value.stride() and ours[key].storage_offset() == value.storage_offset()
    back = torch.load(saved(ours, flambeau, **options), weights_only=weights_only)
    assert repr(back) == repr(theirs)
    assert back["row"].data_ptr() == back["base"].data_ptr() + 16
    assert back["last"].stride() == theirs["last"].stride()


@pytest.mark.parametrize("protocol", range(1, 6))
def test_every_pickle_protocol(protocol):
    value = [flambeau.tensor([1.0, 2.0]), {"a": b"x"}, {1}, flambeau.float16]
    assert repr(there_and_back(value)) == repr(value)
    buffer = saved(value, flambeau, pickle_protocol=protocol)
    assert repr(flambeau.load(buffer)) == repr(value)
    buffer.seek(0)
    assert repr(torch.load(buffer, weights_only=False)) == repr(value)


def test_archives_are_byte_for_byte_pytorchs(tmp_path):
    value = mixed()
    torch.save(value, tmp_path / "theirs.pt")
    ours = flambeau.load(tmp_path / "theirs.pt")
    (tmp_path / "other").mkdir()
    flambeau.save(ours, tmp_path / "other" / "theirs.pt")
    want, got = (tmp_path / "theirs.pt").read_bytes(), (tmp_path / "other" / "theirs.pt").read_bytes()
    # Only the identity, a hash that each library makes in its own way, and its checksum differ.
    place = zipfile.ZipFile(tmp_path / "theirs.pt").getinfo("theirs/.data/serialization_id").header_offset
    assert want[:place] == got[:place] and len(want) == len(got)
    assert sum(a != b for a, b in zip(want, got)) <= 40 + 8


def test_records_are_aligned_and_checked():
    buffer = saved({"a": flambeau.tensor([1.0]), "b": flambeau.tensor([2])}, flambeau)
    reader = ArchiveReader(buffer)
    assert all(reader.offset(name) % 64 == 0 for name in reader.names())
    assert zipfile.ZipFile(buffer).testzip() is None
    assert bytes(reader.read(".storage_alignment")) == b"64" and bytes(reader.read("version")) == b"3\n"
    assert re.fullmatch(rb"\d{40}", bytes(reader.read(".data/serialization_id")))


def test_storages_stay_shared():
    base = flambeau.tensor([1.0, 2.0, 3.0, 4.0])
    loaded = there_and_back([base, base, base.view(2, 2), base.untyped_storage()])
    assert loaded[0] is loaded[1]
    loaded[2].mul_(2)
    assert loaded[0].tolist() == [2, 4, 6, 8]
    assert loaded[3] is loaded[0].untyped_storage()
    alone, other = there_and_back([base, flambeau.tensor([1.0, 2.0, 3.0, 4.0])])
    alone.mul_(0)
    assert other.tolist() == [1, 2, 3, 4]


def test_loaded_tensors_compute_and_train():
    weight = flambeau.load(saved(torch.ones(3, requires_grad=True)))
    (weight * weight).sum().backward()
    assert weight.grad.tolist() == [2, 2, 2]


def test_parameters_both_ways():
    parameter = torch.nn.Parameter(torch.ones(2, 2))
    ours = flambeau.load(saved([parameter, torch.nn.Parameter(torch.ones(1), requires_grad=False)]))
    assert type(ours[0]).__name__ == "Parameter" and ours[0].requires_grad and not ours[1].requires_grad
    back = torch.load(saved(ours, flambeau))
    assert type(back[0]) is torch.nn.Parameter and torch.equal(back[0], parameter)


def test_attributes_of_tensors_are_kept():
    tensor = flambeau.tensor([1.0, 2.0])
    tensor.note = ["a", 1]
    assert there_and_back(tensor).note == ["a", 1]
    theirs = torch.nn.Parameter(torch.ones(1))
    theirs.note = 5
    assert flambeau.load(saved(theirs)).note == 5


def test_meta_tensors():
    ours = flambeau.load(saved(torch.empty(2, 3, device="meta")))
    assert ours.device.type == "meta" and tuple(ours.shape) == (2, 3)
    assert torch.load(saved(ours, flambeau)).device.type == "meta"


def test_storages_by_themselves():
    untyped, typed = flambeau.load(saved([torch.UntypedStorage([1, 2, 3]), torch.FloatStorage([1.0, 2.0])]))
    assert untyped.tolist() == [1, 2, 3] and typed.tolist() == [1.0, 2.0] and typed.dtype is flambeau.float32
    back = torch.load(saved([untyped, typed], flambeau))
    assert back[0].tolist() == [1, 2, 3] and back[1].tolist() == [1.0, 2.0]


def test_one_storage_with_two_dtypes_is_refused():
    storage = flambeau.tensor([1.0]).untyped_storage()
    kinds = [flambeau.TypedStorage(wrap_storage=storage, dtype=each) for each in (flambeau.float32, flambeau.int32)]
    with pytest.raises(RuntimeError, match="Cannot save multiple tensors or storages that view the same data"):
        saved(kinds, flambeau)


def test_other_byte_order():
    swapped = np.arange(4, dtype=">f4").tobytes()
    for library in (flambeau, torch):
        buffer = io.BytesIO()
        writer = ArchiveWriter(buffer, "archive")
        for name, data in (
            ("data.pkl", tensor_pickle()),
            ("byteorder", b"big"),
            ("data/0", swapped),
        ):
            writer.add(name, data)
        writer.add("version", b"3\n")
        writer.close()
        buffer.seek(0)
        assert library.load(buffer).tolist() == [0, 1, 2, 3]
    serialization.set_default_load_endianness(serialization.LoadEndianness.BIG)
    buffer = io.BytesIO()
    writer = ArchiveWriter(buffer, "archive")
    writer.add("data.pkl", tensor_pickle())
    writer.add("data/0", np.arange(4, dtype=">f4").tobytes())
    writer.close()
    assert flambeau.load(io.BytesIO(buffer.getvalue())).tolist() == [0, 1, 2, 3]


def test_state_dict_metadata_is_kept():
    state = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.BatchNorm1d(3)).state_dict()
    ours = flambeau.load(saved(state))
    assert type(ours) is collections.OrderedDict and ours._metadata == state._metadata
    back = torch.load(saved(ours, flambeau))
    assert back._metadata == state._metadata
    assert all(torch.equal(back[key], state[key]) for key in state)


def test_whole_modules_both_ways():
    nn = pytest.importorskip("flambeau.nn")
    theirs = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Identity(), torch.nn.Linear(4, 2))
    buffer = saved(theirs)
    with pytest.raises(pickle.UnpicklingError, match=r"torch\.nn\.modules\.container\.Sequential"):
        flambeau.load(buffer)
    buffer.seek(0)
    ours = flambeau.load(buffer, weights_only=False)
    assert type(ours) is nn.Sequential and type(ours[0]) is nn.Linear
    values = [[1.0, 2.0, 3.0]]
    want = theirs(torch.tensor(values)).tolist()
    np.testing.assert_allclose(ours(flambeau.tensor(values)).tolist(), want, rtol=1e-5)
    buffer = saved(ours, flambeau)
    assert b"torch.nn.modules.linear\nLinear" in bytes(ArchiveReader(buffer).read("data.pkl"))
    buffer.seek(0)
    np.testing.assert_allclose(torch.load(buffer, weights_only=False)(torch.tensor(values)).tolist(), want, rtol=1e-5)
    buffer.seek(0)
    with serialization.safe_globals([nn.Sequential, nn.Linear, nn.Identity]):
        np.testing.assert_allclose(flambeau.load(buffer)(flambeau.tensor(values)).tolist(), want, rtol=1e-5)


# What a file may do


def test_classes_must_be_allowed():
    buffer = saved(Mine(), flambeau)
    with pytest.raises(
        pickle.UnpicklingError, match=rf"Unsupported global: GLOBAL {__name__}\.Mine .*add_safe_globals"
    ):
        flambeau.load(buffer)
    buffer.seek(0)
    assert serialization.get_unsafe_globals_in_checkpoint(buffer) == [f"{__name__}.Mine"]
    with serialization.safe_globals([Mine]):
        assert serialization.get_safe_globals() == [Mine]
        assert flambeau.load(io.BytesIO(buffer.getvalue())).x == 3
        assert serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(buffer.getvalue())) == []
    assert serialization.get_safe_globals() == []
    assert flambeau.load(io.BytesIO(buffer.getvalue()), weights_only=False).x == 3
    serialization.add_safe_globals([(Mine, "elsewhere.Old")])
    pickled = b"\x80\x02celsewhere\nOld\n)\x81}" + literal("y") + literal(4) + b"sb."
    assert flambeau.load(archive(pickled)).y == 4


def test_slots_and_subclasses_when_allowed():
    slotted = Slotted()
    slotted.a = 5
    tensor = flambeau.tensor([1.0, 2.0]).as_subclass(MyTensor)
    with serialization.safe_globals([Slotted, MyTensor]):
        loaded, mine = there_and_back([slotted, tensor])
    assert loaded.a == 5 and type(mine) is MyTensor and mine.tolist() == [1, 2]
    with pytest.raises(pickle.UnpicklingError, match="MyTensor"):
        there_and_back(tensor)


def test_numpy_arrays_when_allowed():
    value = np.arange(3)
    with pytest.raises(pickle.UnpicklingError, match="numpy"):
        there_and_back(value)
    names = [np._core.multiarray._reconstruct, np.ndarray, np.dtype, type(np.dtype(np.int64))]
    with serialization.safe_globals(names):
        assert there_and_back(value).tolist() == [0, 1, 2]


REFUSED = {
    "a call of the system": b"cos\nsystem\n" + literal("true") + b"\x85R.",
    "the same by name": literal("os") + literal("system") + b"\x93" + literal("true") + b"\x85R.",
    "eval": b"c__builtin__\neval\n" + literal("1") + b"\x85R.",
    "getattr": b"cbuiltins\ngetattr\n.",
    "a method of a tensor": b"ctorch\nTensor.numpy\n.",
    "our own modules": b"ctorch.serialization\nsave\n.",
    "a module of ours": b"cflambeau.serialization\nload\n.",
    "attributes of a class": b"ctorch\nTensor\n}" + literal("__add__") + literal(1) + b"sb.",
    "attributes of a class by slots": b"ctorch\nTensor\nN}" + literal("shape") + literal(1) + b"s\x86b.",
    "the class of a tensor": tensor_pickle()[:-1] + b"}" + literal("__class__") + literal(1) + b"sb.",
    "the memory of a tensor": tensor_pickle()[:-1] + b"}" + literal("_cell") + literal(1) + b"sb.",
    "the shape of a tensor": tensor_pickle()[:-1] + b"}" + literal("shape") + literal((9,)) + b"sb.",
    "calling a number": literal(3) + b")R.",
    "calling the Tensor class": b"ctorch\nTensor\n" + literal(10**12) + b"\x85R.",
    "calling a storage class": b"ctorch\nFloatStorage\n" + literal(10**12) + b"\x85R.",
    "a bare tensor": b"ctorch\nTensor\n)\x81.",
    "calling through a rebuild": b"ctorch._tensor\n_rebuild_from_type_v2\n(cbuiltins\nset\nctorch\nSize\n)NtR.",
    "a huge bytearray": b"cbuiltins\nbytearray\n" + literal(10**12) + b"\x85R.",
    "a codec bomb": b"c_codecs\nencode\n" + literal("x") + literal("idna") + b"\x86R.",
    "a key nested without end": b"}" + b")" + b"\x85" * 200_000 + b"Ns.",
    "a key that doubles": b"})" + b"2\x86" * 64 + b"Ns.",
    "a member that doubles": b"\x8f()" + b"2\x86" * 64 + b"\x90.",
    "a state that is no dictionary": b"ccollections\nOrderedDict\n)R]b.",
    "building a list": b"]}b.",
    "an unknown persistent id": literal("nonsense") + b"Q.",
    "old classes": b"(i__main__\nMine\n.",
    "extension codes": b"\x82\x01.",
    "text persistent ids": b"P0\n.",
    "out-of-band buffers": b"\x97.",
    "a length beyond the end": b"\x8d" + b"\xff" * 7 + b"\x00" + b"abc.",
    "a negative length": b"\x8b\xff\xff\xff\xff.",
    "an unhashable key": b"}]Ns.",
    "an unhashable key in a batch": b"}(]Nu.",
    "popping nothing": b"0.",
    "a tuple of nothing": b"\x87.",
    "a missing memo": b"h\x05.",
    "no stop": b"N",
    "a later protocol": b"\x80\x09N.",
    "bytes that are no opcode": b"\xff\xfe.",
    "an endless line": b"c" + b"a" * 100_000,
    "two results": b"NN.",
    "a parameter of a string": b"ctorch._utils\n_rebuild_parameter\n" + literal("x") + b"\x88}\x87R.",
}


@pytest.mark.parametrize("what", REFUSED)
def test_pickles_are_refused(what):
    pickled = REFUSED[what]
    pickled = pickled if pickled.startswith(b"\x80") else b"\x80\x02" + pickled
    began = time.perf_counter()
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        flambeau.load(archive(pickled, _0=FOUR))
    assert time.perf_counter() - began < 2
    assert flambeau.Tensor.__dict__.get("__add__") != 1


def test_memo_indices_take_no_memory():
    assert flambeau.load(archive(b"\x80\x02Nr\xff\xff\xff\xff.")) is None


BAD_TENSORS = {
    "offset past the end": {"offset": 1},
    "huge offset": {"offset": 2**62},
    "negative offset": {"offset": -1},
    "fractional offset": {"offset": 0.0},
    "size past the end": {"size": (5,)},
    "huge size": {"size": (2**62,)},
    "sizes that overflow": {"size": (2**32, 2**32), "stride": (0, 0)},
    "stride past the end": {"stride": (2,)},
    "huge stride": {"stride": (2**61,)},
    "negative stride": {"offset": 3, "stride": (-1,)},
    "negative size": {"size": (-4,)},
    "size and stride of different length": {"size": (2, 2)},
    "too many dimensions": {"size": (1,) * 100, "stride": (1,) * 100},
    "size that is no tuple": {"size": "abcd"},
    "sizes that are no integers": {"size": (4.0,)},
    "fewer elements than the record": {"count": 3, "size": (3,)},
    "more elements than the record": {"count": 10**12},
    "negative count": {"count": -4},
    "count that is no number": {"count": "4"},
    "wider elements than the record": {"kind": "torch\nDoubleStorage"},
    "no storage class": {"kind": "torch\nSize"},
    "missing record": {"key": "7"},
    "key that climbs": {"key": "../../etc/passwd"},
    "key that is a name": {"key": "/etc/passwd"},
    "location that is no string": {"location": 3},
    "unknown location": {"location": "moon"},
}


@pytest.mark.parametrize("what", BAD_TENSORS)
def test_descriptions_of_tensors_are_checked(what):
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        flambeau.load(archive(tensor_pickle(**BAD_TENSORS[what]), _0=FOUR))
    with pytest.raises((pickle.UnpicklingError, RuntimeError)):
        flambeau.load(archive(tensor_pickle(**BAD_TENSORS[what]), _0=FOUR), weights_only=False)


def test_hand_made_files_are_fine_when_right():
    assert flambeau.load(archive(tensor_pickle(), _0=FOUR)).tolist() == [0, 1, 2, 3]
    assert flambeau.load(archive(tensor_pickle(offset=1, size=(3,)), _0=FOUR)).tolist() == [1, 2, 3]
    assert flambeau.load(archive(tensor_pickle(offset=4, size=(0,)), _0=FOUR)).tolist() == []


# Damage


def damaged(good, chance):
    data = bytearray(good)
    kind = chance.randrange(4)
    place = chance.randrange(len(data))
    if kind == 0:
        del data[place:]
    elif kind == 1:
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
    elif kind == 2:
        del data[place : place + chance.randrange(1, 40)]
    else:
        data[place:place] = chance.randbytes(chance.randrange(1, 20))
    return bytes(data)


def must_be_clear(data):
    try:
        repr(flambeau.load(io.BytesIO(data)))
    except (RuntimeError, pickle.UnpicklingError, EOFError) as error:
        assert str(error)
        return 1
    return 0


@pytest.mark.parametrize("options", [{}, {"_use_new_zipfile_serialization": False}], ids=["archive", "stream"])
def test_damaged_files_get_clear_errors(options):
    value = {
        "a": torch.arange(6.0),
        "e": torch.zeros(0, 3),
        "s": {1, 2},
        "t": (1, "x", 2.5, None),
        "v": torch.ones(2, 2).t(),
    }
    good, chance = saved(value, **options).getvalue(), random.Random(0)
    assert sum(must_be_clear(damaged(good, chance)) for _ in range(400)) > 200
    assert all(must_be_clear(good[:size]) for size in range(1, len(good) - 1, 17))


def test_damaged_pickles_get_clear_errors():
    reader, chance = ArchiveReader(saved(mixed())), random.Random(1)
    good = bytes(reader.read("data.pkl"))
    records = {name[5:]: reader.read(name) for name in reader.names() if name.startswith("data/")}
    for _ in range(400):
        must_be_clear(archive(damaged(good, chance), **{"_" + key: data for key, data in records.items()}).getvalue())


def test_flipped_bits_in_numbers_are_noticed():
    good = bytearray(saved(torch.arange(64.0)).getvalue())
    good[good.find(struct.pack("<2f", 1, 2))] ^= 1
    with pytest.raises(RuntimeError, match=r"checksum of record data/0.*set_crc32_options"):
        flambeau.load(io.BytesIO(good))
    serialization.set_crc32_options(False)
    assert len(flambeau.load(io.BytesIO(good))) == 64


def test_files_without_checksums_are_read():
    torch.serialization.set_crc32_options(False)
    try:
        buffer = saved(torch.arange(3))
    finally:
        torch.serialization.set_crc32_options(True)
    assert flambeau.load(buffer).tolist() == [0, 1, 2]
    serialization.set_crc32_options(False)
    assert not serialization.get_crc32_options()
    buffer = saved(flambeau.tensor([1]), flambeau)
    assert {entry.CRC for entry in zipfile.ZipFile(buffer).infolist()} == {0}
    buffer.seek(0)
    assert torch.load(buffer).tolist() == [1]


@pytest.mark.parametrize("name", ["/etc/passwd", "archive/../x", "archive\\x", "C:/x", "archive/\0x"])
def test_names_that_leave_the_archive_are_refused(name):
    buffer = io.BytesIO()
    writer = ArchiveWriter(buffer, "archive")
    writer.add("data.pkl", literal(1))
    writer._name, _, rest = name.rpartition("/") if "/" in name else ("", "", name)
    writer.add(rest, b"")
    if not writer._name:  # the writer always puts a folder first; take it off again
        buffer = io.BytesIO(buffer.getvalue().replace(b"/" + rest.encode(), rest.encode() + b"/"))
        writer._directory[-1] = writer._directory[-1].replace(b"/" + rest.encode(), rest.encode() + b"/")
        writer._write_bytes = buffer.write
        buffer.seek(0, 2)
    writer.close()
    with pytest.raises(RuntimeError, match="leaves the archive"):
        flambeau.load(io.BytesIO(buffer.getvalue()))


def test_overlapping_and_double_records_are_refused():
    good = archive(tensor_pickle(), _0=FOUR, _1=FOUR).getvalue()
    # Let record 1 begin where record 0 does, as a quadratic bomb would.
    entry = good.rfind(b"archive/data/1") - 4
    first = struct.unpack_from("<L", good, good.rfind(b"archive/data/0") - 4)
    with pytest.raises(RuntimeError, match="overlaps"):
        flambeau.load(io.BytesIO(good[:entry] + struct.pack("<L", *first) + good[entry + 4 :]))
    with pytest.raises(RuntimeError, match="two records called"):
        flambeau.load(io.BytesIO(good.replace(b"archive/data/1", b"archive/data/0")))


def zipped(compression, size):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as target:
        target.writestr("archive/data.pkl", tensor_pickle(count=size, size=(size,)))
        target.writestr("archive/version", "3\n")
        target.writestr("archive/data/0", bytes(4 * size))
    buffer.seek(0)
    return buffer


def test_compressed_archives_are_read_but_bombs_are_not():
    assert flambeau.load(zipped(zipfile.ZIP_DEFLATED, 1000)).sum().item() == 0
    with pytest.raises(RuntimeError, match="claims to grow"):
        flambeau.load(zipped(zipfile.ZIP_DEFLATED, 8_000_000))
    with pytest.raises(RuntimeError, match="method"):
        flambeau.load(zipped(zipfile.ZIP_LZMA, 10))


def test_other_files_are_told_apart(tmp_path):
    with pytest.raises(EOFError):
        flambeau.load(io.BytesIO(b""))
    with pytest.raises(pickle.UnpicklingError, match=r"not begin like one written by torch\.save"):
        flambeau.load(io.BytesIO(b"hello, this is text"))
    with pytest.raises(RuntimeError, match="failed finding central directory"):
        flambeau.load(io.BytesIO(b"PK\3\4" + bytes(100)))
    with pytest.raises(FileNotFoundError):
        flambeau.load(tmp_path / "none.pt")
    buffer = io.BytesIO()
    writer = ArchiveWriter(buffer, "archive")
    writer.add("constants.pkl", b"")
    writer.add("data.pkl", b"")
    writer.close()
    with pytest.raises(RuntimeError, match="TorchScript"):
        flambeau.load(io.BytesIO(buffer.getvalue()))


# Places


class Pipe:
    """Can only be written to."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += bytes(data)


def test_files_of_every_kind(tmp_path):
    value = flambeau.tensor([1.0, 2.0])
    for place in (str(tmp_path / "a.pt"), tmp_path / "b.tar.gz", tmp_path / "ü.pt", tmp_path / ".pt"):
        flambeau.save(value, place)
        assert flambeau.load(place).tolist() == [1, 2] and torch.load(place).tolist() == [1, 2]
    pipe = Pipe()
    flambeau.save(value, pipe)
    assert flambeau.load(io.BytesIO(pipe.data)).tolist() == [1, 2]
    with open(tmp_path / "a.pt", "rb", buffering=0) as file:
        assert flambeau.load(file).tolist() == [1, 2]
    behind = io.BytesIO(b"12345" + pipe.data)
    behind.seek(5)
    assert flambeau.load(behind).tolist() == [1, 2]
    several = io.BytesIO()
    for number in range(3):
        flambeau.save(flambeau.tensor(number), several, _use_new_zipfile_serialization=False)
    several.seek(0)
    assert [flambeau.load(several).item() for _ in range(3)] == [0, 1, 2]


def test_wrong_kinds_of_files(tmp_path):
    with pytest.raises(AttributeError, match="'write' attribute"):
        flambeau.save(1, 3)
    with pytest.raises(AttributeError, match=r"You can only torch\.load from a file that is seekable"):
        flambeau.load(3)
    with pytest.raises(RuntimeError, match=r"Parent directory .* does not exist"):
        flambeau.save(1, tmp_path / "none" / "x.pt")
    with pytest.raises(ValueError, match="file path in order to use the mmap"):
        flambeau.load(io.BytesIO(), mmap=True)


class Explodes:
    def __reduce__(self):
        raise ValueError("not today")


def test_saving_is_all_or_nothing(tmp_path):
    place = tmp_path / "model.pt"
    flambeau.save(flambeau.tensor(1), place)
    os.chmod(place, 0o640)
    with pytest.raises(ValueError, match="not today"):
        flambeau.save([flambeau.tensor(2), Explodes()], place)
    assert flambeau.load(place).item() == 1 and os.listdir(tmp_path) == ["model.pt"]
    link = tmp_path / "link.pt"
    link.symlink_to(place)
    flambeau.save(flambeau.tensor(3), link)
    assert link.is_symlink() and flambeau.load(place).item() == 3
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    flambeau.save(flambeau.tensor(3), os.devnull)


@pytest.mark.parametrize("where", ["cpu", {"cpu": "cpu"}, flambeau.device("cpu"), lambda storage, location: storage])
def test_map_location_to_the_cpu(where):
    assert flambeau.load(saved(torch.ones(2)), map_location=where).tolist() == [1, 1]


def test_map_location_elsewhere():
    for where in ("meta", flambeau.device("meta"), {"cpu": "meta"}):
        assert flambeau.load(saved(torch.ones(2)), map_location=where).device.type == "meta"
    seen = []

    def note(storage, location):
        seen.append((type(storage), storage.nbytes(), location))

    flambeau.load(saved({"a": torch.ones(2), "b": torch.ones(3)}), map_location=note)
    assert seen == [(flambeau.UntypedStorage, 8, "cpu"), (flambeau.UntypedStorage, 12, "cpu")]
    zeroed = flambeau.load(saved(torch.ones(2)), map_location=lambda storage, _: storage.clone().fill_(0))
    assert zeroed.tolist() == [0, 0]
    cuda = archive(tensor_pickle(location="cuda:0"), _0=FOUR).getvalue()
    with pytest.raises(RuntimeError, match=r"map_location=torch\.device"):
        flambeau.load(io.BytesIO(cuda))
    for where in ("cpu", {"cuda:0": "cpu"}):
        assert flambeau.load(io.BytesIO(cuda), map_location=where).tolist() == [0, 1, 2, 3]
    with pytest.raises(RuntimeError, match="don't know how to restore data location"):
        flambeau.load(saved(torch.ones(2)), map_location="moon")
    with pytest.raises(TypeError, match="not callable"):
        flambeau.load(saved(torch.ones(2)), map_location=3)


def test_packages_for_other_devices():
    from flambeau.serialization import locations

    before = list(locations._packages)
    serialization.register_package(
        5,
        lambda storage: "attic" if storage.nbytes() == 12 else None,
        lambda storage, location: storage.fill_(0) if location == "attic" else None,
    )
    try:
        loaded = there_and_back([flambeau.tensor([1.0] * 3), flambeau.tensor([1.0])])
        assert serialization.location_tag(flambeau.UntypedStorage(12)) == "attic"
    finally:
        locations._packages[:] = before
    assert loaded[0].tolist() == [0, 0, 0] and loaded[1].tolist() == [1]


def test_mapped_files(tmp_path):
    place = tmp_path / "x.pt"
    torch.save({"a": torch.arange(4.0), "b": torch.zeros(0)}, place)
    loaded = flambeau.load(place, mmap=True)
    assert loaded["a"].tolist() == [0, 1, 2, 3] and loaded["b"].tolist() == []
    loaded["a"].mul_(2)
    assert loaded["a"].tolist() == [0, 2, 4, 6] and flambeau.load(place)["a"].tolist() == [0, 1, 2, 3]
    with serialization.set_default_mmap_options(mmap.MAP_SHARED):
        assert serialization.get_default_mmap_options() == mmap.MAP_SHARED
        shared = flambeau.load(str(place), mmap=True)
        shared["a"].mul_(3)
        flambeau.synchronize()
    assert serialization.get_default_mmap_options() == mmap.MAP_PRIVATE
    assert torch.load(place)["a"].tolist() == [0, 3, 6, 9]
    with pytest.raises(ValueError, match=r"MAP_PRIVATE or mmap\.MAP_SHARED"):
        serialization.set_default_mmap_options(5)
    torch.save(torch.ones(2), place, _use_new_zipfile_serialization=False)
    with pytest.raises(RuntimeError, match="mmap can only be used"):
        flambeau.load(place, mmap=True)
    data = saved(torch.arange(100.0)).getvalue()
    place.write_bytes(data[:-200])
    with pytest.raises(RuntimeError, match="truncated"):
        flambeau.load(place, mmap=True)
    place.write_bytes(zipped(zipfile.ZIP_DEFLATED, 100).getvalue())
    with pytest.raises(RuntimeError, match="mmap=False"):
        flambeau.load(place, mmap=True)


# Options and small names


def test_arguments_of_load(monkeypatch):
    def buffer():
        return saved(Mine(), flambeau)

    assert flambeau.load(buffer(), pickle_module=pickle).x == 3
    with pytest.raises(RuntimeError, match="explicit pickle_module"):
        flambeau.load(buffer(), weights_only=True, pickle_module=pickle)
    with pytest.raises(TypeError, match="unexpected keyword argument 'foo'"):
        flambeau.load(buffer(), foo=1)
    with pytest.raises(TypeError, match="foo"):
        flambeau.load(buffer(), foo=1, weights_only=False)
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    assert flambeau.load(buffer()).x == 3
    monkeypatch.setenv("TORCH_FORCE_WEIGHTS_ONLY_LOAD", "1")
    with pytest.raises(RuntimeError, match="Only one of"):
        flambeau.load(buffer())
    monkeypatch.delenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD")
    with pytest.raises(pickle.UnpicklingError):
        flambeau.load(buffer(), weights_only=False)


def test_strings_from_python_2():
    pickled = b"\x80\x02U\x02\xc3\xa9."
    assert flambeau.load(archive(pickled)) == "é"
    assert flambeau.load(archive(pickled), encoding="latin1") == "Ã©"
    assert flambeau.load(archive(pickled), encoding="bytes") == b"\xc3\xa9"


def test_data_can_be_skipped():
    with serialization.skip_data():
        buffer = saved({"a": flambeau.tensor([1.0, 2.0])}, flambeau)
    assert torch.load(buffer)["a"].tolist() == [0, 0]
    with serialization.skip_data():
        assert flambeau.load(saved(torch.ones(2))).tolist() == [0, 0]
    assert flambeau.load(saved(torch.ones(2))).tolist() == [1, 1]


def test_all_names_are_there():
    assert [name for name in torch.serialization.__all__ if not hasattr(serialization, name)] == []
    assert all(getattr(serialization, name) for name in serialization.__all__)


def test_small_names():
    assert serialization.normalize_storage_type(flambeau.FloatStorage) is flambeau.FloatStorage
    assert serialization.StorageType("FloatStorage").dtype is flambeau.float32
    assert serialization.location_tag(flambeau.tensor([1]).untyped_storage()) == "cpu"
    assert serialization.check_module_version_greater_or_equal(np, (1, 2))
    assert not serialization.check_module_version_greater_or_equal(np, (100, 2))
    odd = type("odd", (), {"__version__": "a.b"})
    with pytest.raises(RuntimeError, match="malformed"):
        serialization.check_module_version_greater_or_equal(odd, (1, 2))
    with serialization.mkdtemp() as folder:
        assert os.path.isdir(folder)
    assert not os.path.exists(folder)
    with pytest.raises(TypeError):
        serialization.set_default_load_endianness("little")
    for check in (serialization.validate_cuda_device, serialization.validate_hpu_device):
        with pytest.raises(RuntimeError, match="CPU-only machine"):
            check("cuda:0")
    assert issubclass(serialization.SourceChangeWarning, Warning)


# Storages, copies and pickles of tensors


def test_storages_are_windows():
    tensor = flambeau.tensor([1.0, 2.0, 3.0])
    storage = tensor.untyped_storage()
    assert storage is tensor.view(3, 1).untyped_storage() and storage.nbytes() == len(storage) == 12
    doubled = tensor * 2  # recorded before the write below, must not see it
    storage.fill_(0)
    assert tensor.tolist() == [0, 0, 0] and doubled.tolist() == [2, 4, 6]
    storage[3] = 64
    assert tensor.tolist() == [2, 0, 0] and storage[3] == 64 and storage[-9] == 64
    assert storage.data_ptr() == tensor.data_ptr()
    storage.copy_(flambeau.tensor([7.0, 8.0, 9.0]).untyped_storage())
    assert tensor.tolist() == [7, 8, 9]
    clone = storage.clone()
    clone.fill_(0)
    assert tensor.tolist() == [7, 8, 9]
    with pytest.raises(IndexError, match="out of range for storage of size 12"):
        storage[12]
    with pytest.raises(RuntimeError, match="size does not match"):
        storage.copy_(clone[:4])
    with pytest.raises(RuntimeError, match="use the tensor's resize_"):
        storage.resize_(40)
    fresh = flambeau.UntypedStorage([1, 2, 3]).resize_(2)
    assert fresh.tolist() == [1, 2]


@pytest.mark.parametrize("name", ["float32", "int64", "bool", "bfloat16", "complex64"])
def test_storages_print_and_convert_as_in_pytorch(name):
    ours = flambeau.tensor([1, 0, 1]).to(getattr(flambeau, name)).storage()
    theirs = torch.tensor([1, 0, 1]).to(getattr(torch, name)).storage()
    assert repr(ours) == repr(theirs) and repr(ours.untyped()) == repr(theirs.untyped())
    assert ours.type() == theirs.type() and ours.pickle_storage_type() == theirs.pickle_storage_type()
    assert ours.size() == theirs.size() and ours.element_size() == theirs.element_size()
    if name != "complex64":
        assert repr(ours.double()) == repr(theirs.double()) and repr(ours.int()) == repr(theirs.int())
    assert isinstance(ours, getattr(flambeau, theirs.pickle_storage_type()))
    assert flambeau.is_storage(ours) and flambeau.is_storage(ours.untyped())
    assert repr(flambeau.FloatStorage) == repr(torch.FloatStorage)


def test_set_shows_other_memory():
    base = flambeau.tensor([0.0, 1.0, 2.0, 3.0])
    tensor = flambeau.tensor([9.0])
    assert tensor.set_(base.untyped_storage(), 1, (2, 2), (1, 1)).tolist() == [[1, 2], [2, 3]]
    base.mul_(2)
    assert tensor.tolist() == [[2, 4], [4, 6]] and not tensor.is_set_to(base)
    assert tensor.set_(base).is_set_to(base)


def test_deepcopy_keeps_sharing():
    base = flambeau.tensor([[1.0, 2.0], [3.0, 4.0]])
    base.note = [1]
    copied, view = copy.deepcopy([base, base.view(4)])
    copied.mul_(2)
    assert view.tolist() == [2, 4, 6, 8] and base.tolist() == [[1, 2], [3, 4]]
    assert copied.note == [1] and copied.note is not base.note
    leaf = flambeau.tensor([1.0], requires_grad=True)
    leaf.grad = flambeau.tensor([5.0])
    twin = copy.deepcopy(leaf)
    assert twin.requires_grad and twin.grad.tolist() == [5] and twin.grad is not leaf.grad
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(leaf * 2)
    mine = copy.deepcopy(base.as_subclass(MyTensor))
    assert type(mine) is MyTensor


def test_copy_shares_memory():
    base = flambeau.tensor([1.0, 2.0])
    twin = copy.copy(base)
    twin.mul_(3)
    assert twin is not base and base.tolist() == [3, 6]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_pickles(protocol):
    base = flambeau.tensor([[1.0, 2.0], [3.0, 4.0]])
    loaded, view, leaf, size, of = pickle.loads(
        pickle.dumps([base, base.view(4), flambeau.tensor([1.0], requires_grad=True), base.shape, base.dtype], protocol)
    )
    loaded.mul_(2)
    assert view.tolist() == [2, 4, 6, 8] and leaf.requires_grad and size == (2, 2) and of is dtypes.float32


def test_pickles_with_buffers_out_of_band():
    buffers = []
    data = pickle.dumps(flambeau.tensor([1.0] * 1000), 5, buffer_callback=buffers.append)
    assert len(data) < 1000 and len(buffers) == 1
    assert pickle.loads(data, buffers=buffers).tolist() == [1.0] * 1000


def test_shared_memory_is_seen_by_forks():
    tensor = flambeau.tensor([1.0, 2.0])
    view = tensor.view(2, 1)
    assert not tensor.is_shared() and tensor.share_memory_().is_shared() and view.is_shared()
    child = os.fork()
    if child == 0:
        view.mul_(5)
        flambeau.synchronize()
        os._exit(0)
    os.waitpid(child, 0)
    assert tensor.tolist() == [5, 10]


def test_library_classes_have_pytorchs_names():
    from flambeau.serialization import names

    nn, optim = pytest.importorskip("flambeau.nn"), pytest.importorskip("flambeau.optim")
    for file, classes in names._MODULE_FILES.items():
        for name in classes.split():
            theirs = getattr(torch.nn, name, None)
            assert theirs is None or theirs.__module__ == f"torch.nn.modules.{file}", name
            ours = getattr(nn, name, None)
            if ours is not None:
                assert names.file_name(ours) == f"torch.nn.modules.{file}.{name}"
                assert names.find(f"torch.nn.modules.{file}", name) is ours
    for library, other in ((optim, torch.optim), (optim.lr_scheduler, torch.optim.lr_scheduler)):
        for name in ("Adam", "SGD", "StepLR", "ReduceLROnPlateau"):
            ours = getattr(library, name, None)
            if ours is not None:
                module, _, short = names.file_name(ours).rpartition(".")
                assert names.find(module, short) is ours
                assert getattr(__import__(module, fromlist=[short]), short) is getattr(other, name)
                assert names.find(getattr(other, name).__module__, name) is ours


@pytest.mark.parametrize(
    "make",
    [
        lambda t: (t.nn.LSTM(2, 3, 2), (3, 2)),
        lambda t: (t.nn.TransformerEncoderLayer(4, 2, 8), (3, 1, 4)),
        lambda t: (t.nn.Sequential(t.nn.Conv2d(1, 2, 3), t.nn.BatchNorm2d(2), t.nn.ReLU(), t.nn.Flatten()), (2, 1, 4, 4)),
        lambda t: (t.nn.LazyLinear(3), (2, 4)),
    ],
    ids=["lstm", "transformer", "cnn", "lazy"],
)
@pytest.mark.parametrize("direction", ["to torch", "from torch"])
def test_whole_modules_cross_over(make, direction):
    source, target = (flambeau, torch) if direction == "to torch" else (torch, flambeau)
    module, shape = make(source)
    file = io.BytesIO()
    source.save(module, file)
    file.seek(0)
    loaded = target.load(file, weights_only=False)
    assert repr(loaded) == repr(module)

    def output(of, library):
        made = of.eval()(library.linspace(-1, 1, int(np.prod(shape))).reshape(shape))
        return (made[0] if isinstance(made, tuple) else made).detach().numpy()

    if not isinstance(module, source.nn.LazyLinear):
        np.testing.assert_allclose(output(loaded, target), output(module, source), rtol=1e-4, atol=1e-6)
    assert output(loaded, target).shape[0] == shape[0]

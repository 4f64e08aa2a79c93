"""Without an accelerator the device namespaces answer as PyTorch's do on such a machine."""

import inspect
import warnings

import pytest

import flambeau

torch = pytest.importorskip("torch")

pytestmark = [pytest.mark.parity, pytest.mark.filterwarnings("ignore")]

ANSWERS = {
    "cuda": [
        "is_available", "device_count", "is_initialized", "is_bf16_supported", "is_tf32_supported", "get_arch_list",
        "get_gencode_flags", "memory_allocated", "max_memory_allocated", "memory_reserved", "max_memory_reserved",
        "memory_cached", "max_memory_cached", "memory_stats", "memory_stats_as_nested_dict", "host_memory_stats",
        "host_memory_stats_as_nested_dict", "empty_cache", "seed", "seed_all", "get_rng_state_all",
        "list_gpu_processes", "caching_allocator_enable",
    ],
    "cpu": ["is_available", "is_initialized", "device_count", "current_device", "synchronize"],
    "accelerator": ["is_available", "device_count", "current_accelerator"],
    "mps": ["is_available", "device_count"],
}  # fmt: skip
REFUSALS = {
    "cuda": [
        "current_device", "init", "synchronize", "get_device_name", "get_device_properties", "get_device_capability",
        "current_stream", "default_stream", "mem_get_info", "get_rng_state", "initial_seed", "cudart",
        "current_blas_handle", "ipc_collect", "get_sync_debug_mode", "utilization", "temperature", "power_draw",
        "clock_rate", "memory_usage", "device_memory_used", "FloatTensor", "LongTensor", "FloatStorage", "Stream",
        "CUDAGraph", "MemPool",
    ],
    "accelerator": [
        "current_device_index", "current_device_idx", "current_stream", "synchronize", "empty_cache",
        "get_memory_info", "memory_allocated", "memory_stats", "reset_peak_memory_stats", "Graph",
    ],
    "mps": [
        "synchronize", "empty_cache", "current_allocated_memory", "driver_allocated_memory", "recommended_max_memory",
        "seed", "get_rng_state", "Event",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", [f"{module}.{name}" for module, names in ANSWERS.items() for name in names])
def test_answers(name):
    module, function = name.split(".")
    answers = []
    for library in (torch, flambeau):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answers.append(getattr(getattr(library, module), function)())
    assert answers[1] == answers[0]
    assert type(answers[1]) is type(answers[0])


@pytest.mark.parametrize("name", [f"{module}.{name}" for module, names in REFUSALS.items() for name in names])
def test_refusals_have_pytorchs_type(name):
    module, function = name.split(".")
    kinds = []
    for library in (torch, flambeau):
        with pytest.raises(Exception) as caught:
            getattr(getattr(library, module), function)()
        kinds.append(caught.type)
    assert kinds[1] is kinds[0]
    assert str(caught.value)


def test_scripts_that_prepare_for_devices_run():
    flambeau.cuda.manual_seed(1)
    flambeau.cuda.manual_seed_all(1)
    flambeau.mps.manual_seed(1)
    with flambeau.cuda.device(-1), flambeau.cuda.device_of(flambeau.ones(1)), flambeau.cuda.stream(None):
        device = flambeau.device("cuda" if flambeau.cuda.is_available() else "cpu")
    assert device.type == "cpu"
    with pytest.raises(AssertionError, match="Torch not compiled with CUDA enabled"), flambeau.cuda.device(0):
        pass
    assert not isinstance(flambeau.ones(1), flambeau.cuda.FloatTensor)
    assert flambeau.accelerator.current_accelerator() is None
    with flambeau.accelerator.device_index(None):
        assert flambeau.accelerator.device_count() == 0
    with pytest.raises(RuntimeError, match="when none is available"), flambeau.accelerator.device_index(0):
        pass


def test_cpu_streams_do_nothing():
    stream = flambeau.cpu.Stream()
    event = flambeau.cpu.Event()
    before = flambeau.cpu.current_stream()
    with flambeau.cpu.stream(stream):
        assert flambeau.cpu.current_stream() is stream
        event.record()
        stream.wait_event(event)
        stream.wait_stream(before)
        event.synchronize()
    assert event.query()
    assert flambeau.cpu.current_stream() is before
    capabilities = flambeau.cpu.get_capabilities()
    theirs = torch.cpu.get_capabilities()
    shared = [name for name in capabilities if isinstance(theirs.get(name), bool)]
    assert len(shared) > 20
    assert [name for name in shared if capabilities[name] != theirs[name]] == []


def test_backend_settings():
    backends = flambeau.backends
    assert not backends.cuda.is_built()
    assert not backends.cudnn.is_available()
    assert backends.cudnn.version() is None
    assert not backends.mps.is_available()
    assert not backends.mkl.is_available()
    assert backends.cpu.get_cpu_capability() == torch.backends.cpu.get_cpu_capability()
    backends.cudnn.benchmark = True
    with backends.cudnn.flags(enabled=False, deterministic=True):
        assert not backends.cudnn.enabled
        assert backends.cudnn.deterministic
        assert not backends.cudnn.benchmark
    assert backends.cudnn.benchmark
    backends.cudnn.benchmark = False
    backends.cuda.matmul.allow_tf32 = True
    assert backends.cuda.matmul.allow_tf32
    backends.cuda.matmul.allow_tf32 = False
    with pytest.warns(FutureWarning), backends.cuda.sdp_kernel(enable_flash=False):
        assert not backends.cuda.flash_sdp_enabled()
    assert backends.cuda.flash_sdp_enabled()


@pytest.mark.parametrize("module", ["cuda", "cpu", "accelerator", "mps", "amp"])
def test_every_public_name_is_there(module):
    theirs, mine = getattr(torch, module), getattr(flambeau, module)
    names = [name for name in theirs.__all__ if not inspect.ismodule(getattr(theirs, name))]
    assert [name for name in names if not hasattr(mine, name)] == []

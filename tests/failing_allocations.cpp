// A library to be loaded before all others (LD_PRELOAD, glibc): of the allocations that some
// shared objects ask for, the n-th fails, and with it none before and none after.
#include <dlfcn.h>
#include <link.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <new>

extern "C" {
void* __libc_malloc(std::size_t);
void* __libc_calloc(std::size_t, std::size_t);
void* __libc_realloc(void*, std::size_t);
void* __libc_memalign(std::size_t, std::size_t);
}

namespace {

struct Range {
  ElfW(Addr) from, to;
};

constexpr int MOST_RANGES = 64;
Range ranges[MOST_RANGES];
int range_count = 0;
std::atomic<bool> counts{false};
std::atomic<long> asked{0}, fails_at{0};

int add_ranges(dl_phdr_info* info, std::size_t, void* part_of_name) {
  if (!std::strstr(info->dlpi_name, static_cast<const char*>(part_of_name))) return 0;
  for (int i = 0; i < info->dlpi_phnum && range_count < MOST_RANGES; ++i) {
    const ElfW(Phdr)& part = info->dlpi_phdr[i];
    if (part.p_type != PT_LOAD || !(part.p_flags & PF_X)) continue;
    const ElfW(Addr) from = info->dlpi_addr + part.p_vaddr;
    ranges[range_count++] = {from, from + part.p_memsz};
  }
  return 0;
}

bool fails(const void* caller) {
  if (!counts.load(std::memory_order_relaxed)) return false;
  const auto address = reinterpret_cast<ElfW(Addr)>(caller);
  for (int i = 0; i < range_count; ++i)
    if (ranges[i].from <= address && address < ranges[i].to)
      return asked.fetch_add(1) + 1 == fails_at.load();
  return false;
}

void* in_new(std::size_t bytes, std::size_t alignment, const void* caller) {
  if (fails(caller)) return nullptr;
  return alignment ? __libc_memalign(alignment, bytes) : __libc_malloc(bytes ? bytes : 1);
}

void* or_throw(void* room) {
  if (!room) throw std::bad_alloc();
  return room;
}

}  // namespace

#define CALLER __builtin_return_address(0)

extern "C" {

// From now on objects with this in their names are watched too.
void watch_allocations_of(const char* part_of_name) {
  dl_iterate_phdr(add_ranges, const_cast<char*>(part_of_name));
}

// Counting begins; the n-th fails, none if n is 0.
void fail_allocation(long n) {
  asked = 0;
  fails_at = n;
  counts = true;
}

// Counting ends: how many were asked for.
long allocations_asked() {
  counts = false;
  return asked;
}

void* malloc(std::size_t bytes) {
  if (!fails(CALLER)) return __libc_malloc(bytes);
  errno = ENOMEM;
  return nullptr;
}

void* calloc(std::size_t count, std::size_t bytes) {
  if (!fails(CALLER)) return __libc_calloc(count, bytes);
  errno = ENOMEM;
  return nullptr;
}

void* realloc(void* room, std::size_t bytes) {
  if (!fails(CALLER)) return __libc_realloc(room, bytes);
  errno = ENOMEM;
  return nullptr;
}

void* aligned_alloc(std::size_t alignment, std::size_t bytes) {
  if (!fails(CALLER)) return __libc_memalign(alignment, bytes);
  errno = ENOMEM;
  return nullptr;
}

int posix_memalign(void** room, std::size_t alignment, std::size_t bytes) {
  if (fails(CALLER)) return ENOMEM;
  *room = __libc_memalign(alignment, bytes);
  return *room ? 0 : ENOMEM;
}

}  // extern "C"

void* operator new(std::size_t bytes) { return or_throw(in_new(bytes, 0, CALLER)); }
void* operator new[](std::size_t bytes) { return or_throw(in_new(bytes, 0, CALLER)); }
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return in_new(bytes, 0, CALLER);
}
void* operator new[](std::size_t bytes, const std::nothrow_t&) noexcept {
  return in_new(bytes, 0, CALLER);
}
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(in_new(bytes, static_cast<std::size_t>(alignment), CALLER));
}
void* operator new(std::size_t bytes, std::align_val_t alignment,
                   const std::nothrow_t&) noexcept {
  return in_new(bytes, static_cast<std::size_t>(alignment), CALLER);
}

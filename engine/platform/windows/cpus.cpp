#define WIN32_LEAN_AND_MEAN
#define NOMINMAX
#include <windows.h>

#include <algorithm>
#include <bit>
#include <thread>

#include "platform/threads.h"

namespace thalweg {

// A process whose threads are in several groups of processors has no mask: it may use all.
int cpu_count() {
  DWORD_PTR allowed = 0, present = 0;
  if (GetProcessAffinityMask(GetCurrentProcess(), &allowed, &present) && allowed)
    return std::popcount(allowed);
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
}

}  // namespace thalweg

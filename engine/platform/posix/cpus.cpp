#include <algorithm>
#include <thread>

#include "platform/threads.h"

namespace thalweg {

int cpu_count() {
  return static_cast<int>(std::max(std::thread::hardware_concurrency(), 1u));
}

}  // namespace thalweg

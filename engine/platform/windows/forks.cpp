// Windows has no forks.
#include "platform/forks.h"

namespace thalweg {

void watch_forks() {}

std::uint64_t fork_count() { return 0; }

NoFork::NoFork() {}

NoFork::~NoFork() {}

}  // namespace thalweg

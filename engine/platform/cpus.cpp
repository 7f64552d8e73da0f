// How many threads are taken, unless a run says it.
#include <algorithm>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "platform/threads.h"

namespace thalweg {

int default_threads() {
  const char* const wanted = std::getenv("THALWEG_THREADS");
  if (!wanted || !*wanted) return std::min(cpu_count(), MOST_THREADS);
  char* end = nullptr;
  const long threads = std::strtol(wanted, &end, 10);
  if (*end || threads < 1 || threads > MOST_THREADS)
    throw std::invalid_argument("THALWEG_THREADS must be a whole number from 1 to " +
                                std::to_string(MOST_THREADS) + ", got '" + wanted + "'");
  return static_cast<int>(threads);
}

}  // namespace thalweg

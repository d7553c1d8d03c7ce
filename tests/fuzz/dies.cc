// A target that dies in the way that its input names: for the test of replay.cc.
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <string_view>
#include <utility>

namespace {

int run_out_of_stack(int depth) {
  if (depth == std::numeric_limits<int>::max()) return 0;
  volatile char room[1024];
  room[depth % 1024] = static_cast<char>(depth);
  return run_out_of_stack(depth + 1) + room[depth % 1024];
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view way(reinterpret_cast<const char*>(data), size);
  if (way == "abort") std::abort();
  if (way == "stack") return run_out_of_stack(0);
  for (const auto& [name, signal] :
       {std::pair<std::string_view, int>{"segv", SIGSEGV}, {"bus", SIGBUS}, {"ill", SIGILL}, {"fpe", SIGFPE}}) {
    if (way == name) std::raise(signal);
  }
  if (way == "leap") {  // behind the end of what was allocated: only a sanitizer notices
    auto* const bytes = static_cast<volatile char*>(std::malloc(8));
    bytes[8] = 0;
    std::free(const_cast<char*>(bytes));
  }
  return 0;
}

// Runs a fuzz target without libFuzzer: replay <folder of seeds> [<mutations> [<random seed>]].
//
// Each file of the folder as it is, then mutations of them, the same ones each time for the same random seed. The input
// that the target died of, whatever the way, or hung on (60 s) is left beside the program, as <program>.failed; replay
// runs a single file as well.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <string_view>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);
// Of the sanitizers; null without them.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace {

constexpr unsigned kLongestRun = 60;  // seconds
constexpr std::size_t kLargestInput = 16 * 1024;

constexpr std::array<std::string_view, 32> kPieces{"\n",
                                                   "\r\n",
                                                   " ",
                                                   "\t",
                                                   "\\",
                                                   "\"",
                                                   "'",
                                                   "{",
                                                   "}",
                                                   "[",
                                                   "]",
                                                   ":",
                                                   ",",
                                                   "=",
                                                   "#",
                                                   "-",
                                                   "&",
                                                   "*",
                                                   "<",
                                                   ">",
                                                   "/",
                                                   "../",
                                                   "---\n",
                                                   "...\n",
                                                   "<!--",
                                                   "\\u00",
                                                   "\xEF\xBB\xBF",
                                                   "中",
                                                   "\xFF",
                                                   "%00",
                                                   "0",
                                                   "9999999999999999999"};

const std::string* running = nullptr;
std::string failed;  // the file for it
std::string notice;

// Only what a signal handler may do.
void leave_input() {
  if (running == nullptr) return;
  const int file = ::open(failed.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0) return;
  if (::write(file, running->data(), running->size()) >= 0) {
    static_cast<void>(!::write(STDERR_FILENO, notice.data(), notice.size()));
  }
  ::close(file);
}

void leave_input_and_die(int signal) {
  leave_input();
  ::signal(signal, SIG_DFL);
  ::raise(signal);
}

void leave_input_when_it_dies() {
  failed = std::filesystem::read_symlink("/proc/self/exe").string() + ".failed";
  notice = "the input is in " + failed + "\n";
  std::filesystem::remove(failed);
  // A stack that has run out has no room for the handler.
  static std::array<char, 64 * 1024> stack;
  const stack_t other{.ss_sp = stack.data(), .ss_flags = 0, .ss_size = stack.size()};
  ::sigaltstack(&other, nullptr);
  struct sigaction action{};
  action.sa_handler = leave_input_and_die;
  action.sa_flags = SA_ONSTACK;
  std::vector<int> signals{SIGABRT, SIGALRM};
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(leave_input);  // they take the other signals themselves, and report
  } else {
    signals.insert(signals.end(), {SIGSEGV, SIGBUS, SIGILL, SIGFPE});
  }
  for (const int signal : signals)
    ::sigaction(signal, &action, nullptr);
}

void run(const std::string& input) {
  running = &input;
  ::alarm(kLongestRun);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
  ::alarm(0);
  running = nullptr;
}

class Mutator {
 public:
  Mutator(std::vector<std::string> seeds, std::uint64_t random_seed) : seeds_(std::move(seeds)), random_(random_seed) {}

  std::string next() {
    std::string input = any(seeds_);
    for (std::size_t changes = 1 + below(4); changes > 0; --changes)
      change(input);
    if (input.size() > kLargestInput) input.resize(kLargestInput);
    return input;
  }

 private:
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  template <class List>
  const typename List::value_type& any(const List& list) {
    return list[below(list.size())];
  }

  void change(std::string& input) {
    const std::size_t at = below(input.size() + 1);
    const std::size_t length = std::min(input.size() - at, 1 + below(16));
    switch (below(6)) {
      case 0:
        input.insert(at, any(kPieces));
        break;
      case 1:
        input.erase(at, length);
        break;
      case 2:
        input.insert(at, input.substr(at, length));
        break;
      case 3:
        if (at < input.size()) input[at] = static_cast<char>(below(256));
        break;
      case 4: {  // the end of another seed
        const std::string& other = any(seeds_);
        input.replace(at, std::string::npos, other, below(other.size() + 1));
        break;
      }
      default: {  // what nests, nests deeper
        const std::string_view piece = any(kPieces);
        std::string many;
        for (std::size_t times = 1 + below(200); times > 0; --times)
          many += piece;
        input.insert(at, many);
      }
    }
  }

  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s <folder of seeds, or a file> [<mutations> [<random seed>]]\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> paths;
  if (std::filesystem::is_directory(argv[1])) {
    for (const auto& entry : std::filesystem::directory_iterator(argv[1]))
      paths.push_back(entry.path());
    std::ranges::sort(paths);
  } else if (std::filesystem::exists(argv[1])) {
    paths.emplace_back(argv[1]);
  }
  if (paths.empty()) {
    std::fprintf(stderr, "%s holds no seeds\n", argv[1]);
    return 1;
  }
  const unsigned long mutations = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10000;
  const unsigned long long random_seed = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 20240601;
  std::printf("%zu seeds, %lu mutations, random seed %llu\n", paths.size(), mutations, random_seed);
  std::fflush(stdout);

  leave_input_when_it_dies();
  std::vector<std::string> seeds;
  for (const std::filesystem::path& path : paths) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    run(seeds.back());
  }
  run("");
  Mutator mutator(std::move(seeds), random_seed);
  for (unsigned long i = 0; i < mutations; ++i)
    run(mutator.next());
  return 0;
}

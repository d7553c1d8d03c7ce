// Commits a second, and memory, of the log alone: log_load FOLDER [SECONDS] [IN_FLIGHT] [BYTES]
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/log.h"
#include "consensus/log.h"

namespace {

using namespace cc;

class Counter final : public consensus::StateMachine {
 public:
  Applied applied() const override { return {}; }  // so that it starts anew
  std::string group() const override { return {}; }
  Result<std::string> apply(consensus::Index index, std::string_view) override {
    applied_.index = index;
    return std::string();
  }
  Result<> deliver(std::move_only_function<void()> then) override {
    ++batches;
    then();
    return {};
  }
  Result<> commit() override { return {}; }
  void roll_back() override {}
  Result<std::unique_ptr<Snapshot>> begin_snapshot() override {
    struct Empty final : Snapshot {
      explicit Empty(Applied applied) : applied_(applied) {}
      Applied applied() const override { return applied_; }
      std::uint64_t bytes() const override { return 0; }
      Result<> write(const Path& file) override { return write_file(file, "nothing"); }
      Applied applied_;
    };
    return std::make_unique<Empty>(applied_);
  }
  Result<> restore(const Path&) override { return {}; }
  std::atomic<std::uint64_t> batches = 0;

 private:
  Applied applied_;
};

std::string resident() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmRSS:")) return line.substr(6);
  }
  return "?";
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "usage: {} FOLDER [SECONDS] [IN_FLIGHT] [BYTES]\n", argv[0]);
    return 2;
  }
  const auto number = [&](int at, int otherwise) { return argc > at ? std::atoi(argv[at]) : otherwise; };
  const int seconds = number(2, 5);
  const int in_flight = number(3, 64);
  const std::string command(static_cast<std::size_t>(number(4, 100)), 'x');

  set_log_level(LogLevel::warn);
  Counter machine;
  consensus::Options options;
  options.directory = argv[1];
  const std::string before = resident();
  const auto opening = std::chrono::steady_clock::now();
  auto log = consensus::Log::open(options, machine);
  if (!log) {
    fmt::print(stderr, "{}\n", log.error().message);
    return 1;
  }
  const std::chrono::duration<double, std::milli> opened = std::chrono::steady_clock::now() - opening;
  fmt::print("opened in {:.0f} ms; resident before {}, after {}\n", opened.count(), before, resident());

  std::atomic<std::uint64_t> done = 0;
  std::atomic<std::uint64_t> failed = 0;
  std::atomic<int> running = in_flight;
  std::atomic<bool> stop = false;
  std::function<void()> propose = [&] {
    (*log)->propose(command, std::chrono::seconds(60), [&](Result<std::string> result) {
      ++(result ? done : failed);
      if (stop) {
        --running;
      } else {
        propose();
      }
    });
  };
  for (int i = 0; i < in_flight; ++i)
    propose();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const std::uint64_t commits = done;
  const std::uint64_t batches = machine.batches;
  stop = true;
  while (running > 0)
    std::this_thread::yield();
  const auto status = (*log)->status();
  fmt::print("{} commits/s of {} bytes with {} in flight, {:.1f} in a batch, {} failed, {} snapshots; resident {}\n",
             commits / static_cast<std::uint64_t>(seconds), command.size(), in_flight,
             static_cast<double>(commits) / static_cast<double>(batches), failed.load(), status.snapshots_taken,
             resident());
  return 0;
}

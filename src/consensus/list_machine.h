// The state machine's twin for tests: a list of the commands that were applied, in memory or in a file.
#pragma once

#include <atomic>
#include <cstdint>
#include <fstream>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/file.h"
#include "base/little_endian.h"
#include "consensus/log.h"

namespace cc::consensus {

// Thread-safe where a test asks while the log thread applies. With a file it survives kill -9, batch by batch.
class ListMachine final : public StateMachine {
 public:
  using Command = std::pair<Index, std::string>;

  explicit ListMachine(Path file = {}) : file_(std::move(file)) {
    if (const auto content = read_file(file_); content && !file_.empty()) load(*content);
  }

  std::vector<Command> commands() const {
    const std::lock_guard lock(mutex_);
    return committed_;
  }
  std::vector<std::size_t> batches() const {  // how many commands each deliver() had
    const std::lock_guard lock(mutex_);
    return batches_;
  }
  std::vector<std::size_t> transactions() const {  // how many commands each commit() had
    const std::lock_guard lock(mutex_);
    return transactions_;
  }

  std::function<Result<>(std::string_view command)> on_apply = [](auto) { return Result<>{}; };
  std::function<Result<>()> on_deliver = [] { return Result<>{}; };
  std::function<Result<>()> on_commit = [] { return Result<>{}; };
  std::function<Result<>()> on_write_snapshot = [] { return Result<>{}; };
  std::atomic<int> restores = 0;
  std::atomic<int> roll_backs = 0;

  Applied applied() const override {
    const std::lock_guard lock(mutex_);
    return applied_in(committed_);
  }
  std::string group() const override { return applied().index == 0 ? "" : "a list"; }

  Result<std::string> apply(Index index, std::string_view command) override {
    TRYV(unless_failed(on_apply(command)));
    pending_.emplace_back(index, command);
    return "did " + std::string(command.substr(0, 64));
  }

  Result<> deliver(std::move_only_function<void()> then) override {
    TRYV(unless_failed(on_deliver()));
    {
      const std::lock_guard lock(mutex_);
      batches_.push_back(pending_.size() - delivered_);
    }
    delivered_ = pending_.size();
    then();
    return {};
  }

  Result<> commit() override {
    TRYV(unless_failed(on_commit()));
    if (!file_.empty()) {
      std::ofstream out(file_, std::ios::binary | std::ios::app);
      const std::string record = encode(pending_);
      out.write(record.data(), static_cast<std::streamsize>(record.size()));
      out.flush();
      if (!out) return fail(Code::unavailable, "cannot write " + file_.string());
    }
    {
      const std::lock_guard lock(mutex_);
      transactions_.push_back(pending_.size());
      committed_.insert(committed_.end(), pending_.begin(), pending_.end());
    }
    pending_.clear();
    delivered_ = 0;
    return {};
  }

  void roll_back() override {
    failed_ = false;
    delivered_ = 0;
    pending_.clear();
    ++roll_backs;
  }

  Result<std::unique_ptr<Snapshot>> begin_snapshot() override {
    class Copy final : public Snapshot {
     public:
      Copy(std::vector<Command> all, std::function<Result<>()> before)
          : all_(std::move(all)), before_(std::move(before)) {}
      Applied applied() const override { return applied_in(all_); }
      std::uint64_t bytes() const override { return encode(all_).size(); }
      Result<> write(const Path& file) override {
        TRYV(before_());
        return write_file(file, encode(all_));
      }

     private:
      std::vector<Command> all_;
      std::function<Result<>()> before_;
    };
    return std::make_unique<Copy>(commands(), on_write_snapshot);
  }

  Result<> restore(const Path& file) override {
    ++restores;
    TRY(const std::string snapshot, read_file(file));
    if (!file_.empty()) TRYV(write_file(file_, snapshot));
    const std::lock_guard lock(mutex_);
    committed_.clear();
    decode(snapshot, committed_);
    return {};
  }

 private:
  // What has failed can only be rolled back.
  Result<> unless_failed(Result<> outcome) {
    if (failed_) return fail(Code::internal, "the machine has failed and was not rolled back");
    failed_ = !outcome;
    return outcome;
  }

  static Applied applied_in(const std::vector<Command>& commands) {
    if (commands.empty()) return {};
    return {commands.back().first, crc32(commands.back().second)};
  }

  // A record: length and checksum of what follows; then index, length and bytes of each command.
  static std::string encode(const std::vector<Command>& commands) {
    std::string body;
    char number[8];
    for (const auto& [index, command] : commands) {
      put_little_endian(number, index);
      body.append(number, 8);
      put_little_endian(number, static_cast<std::uint32_t>(command.size()));
      body.append(number, 4) += command;
    }
    std::string record(8, '\0');
    put_little_endian(record.data(), static_cast<std::uint32_t>(body.size()));
    put_little_endian(record.data() + 4, crc32(body));
    return record += body;
  }

  // Appends the commands of all whole records; answers how many bytes those are.
  static std::size_t decode(std::string_view bytes, std::vector<Command>& to) {
    std::size_t at = 0;
    while (bytes.size() - at >= 8) {
      const std::size_t length = get_little_endian<std::uint32_t>(bytes.substr(at));
      if (bytes.size() - at - 8 < length) break;
      std::string_view body = bytes.substr(at + 8, length);
      if (crc32(body) != get_little_endian<std::uint32_t>(bytes.substr(at + 4))) break;
      while (!body.empty()) {
        const std::size_t size = get_little_endian<std::uint32_t>(body.substr(8));
        to.emplace_back(get_little_endian<std::uint64_t>(body), body.substr(12, size));
        body.remove_prefix(12 + size);
      }
      at += 8 + length;
    }
    return at;
  }

  void load(std::string_view content) {
    const std::size_t whole = decode(content, committed_);
    if (whole != content.size()) std::filesystem::resize_file(file_, whole);  // killed in the middle of a batch
  }

  const Path file_;
  std::vector<Command> pending_;  // of the open transaction
  std::size_t delivered_ = 0;     // of them
  bool failed_ = false;
  mutable std::mutex mutex_;
  std::vector<Command> committed_;                   // guarded by mutex_
  std::vector<std::size_t> batches_, transactions_;  // guarded by mutex_
};

}  // namespace cc::consensus

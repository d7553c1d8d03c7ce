#include "consensus/file_transfer.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/little_endian.h"

namespace cc::consensus {
namespace {

Result<OpenFile> open_offered(const Path& folder, std::string_view name) {
  const Path path = folder / name;
  std::error_code error;
  if (!is_offered_name(name) || !std::filesystem::is_regular_file(std::filesystem::symlink_status(path, error)))
    return fail(Code::not_found, "it has no such file");
  return OpenFile::open(path);
}

void seal_record(Sealer& sealer, std::string_view record, std::string& to) {
  for (; !record.empty(); record.remove_prefix(std::min(record.size(), kLargestPiece)))
    sealer.seal(record.substr(0, kLargestPiece), to);
}

class Sending {
 public:
  Sending(OpenFile file, Sealer& sealer) : file_(std::move(file)), sealer_(sealer) {}

  // The next bytes to write to the connection: at the end of the file, how long it was.
  Result<std::string> next() {
    std::string record(kRecordHeader + kLargestChunk, '\0');
    std::size_t size = 0;
    for (std::size_t got = 1; got > 0 && size < kLargestChunk; size += got) {
      TRY(got, file_.read(record.data() + kRecordHeader + size, kLargestChunk - size));
    }
    total_ += size;
    at_end_ = size == 0;
    if (at_end_) {
      std::string total(sizeof total_, '\0');
      put_little_endian(total.data(), total_);
      record.clear();
      append_record(RecordType::end, total, record);
    } else {
      std::string header;
      append_record_header(RecordType::chunk, size, header);
      record.replace(0, kRecordHeader, header);
      record.resize(kRecordHeader + size);
    }
    std::string sealed;
    sealed.reserve(record.size() + 10 * (kLargestSealed - kLargestPiece));
    seal_record(sealer_, record, sealed);
    return sealed;
  }
  bool at_end() const { return at_end_; }

 private:
  OpenFile file_;
  Sealer& sealer_;
  std::uint64_t total_ = 0;
  bool at_end_ = false;
};

class Receiving {
 public:
  Receiving(NewFile file, SecureChannel& channel) : file_(std::move(file)), channel_(channel) {}

  // Writes what has come. True when that was all: then it is on disk.
  Result<bool> take() {
    for (;;) {
      TRY(const auto record, channel_.opened());
      if (!record) return false;
      if (record->type == RecordType::chunk) {
        TRYV(file_.write(record->content));
        total_ += record->content.size();
      } else if (record->type == RecordType::refusal) {
        TRY(Error why, decode_error(record->content));
        return fail(std::move(why));
      } else if (record->type == RecordType::end && record->content.size() == sizeof total_) {
        if (get_little_endian<std::uint64_t>(record->content) != total_)
          return fail(Code::corruption, "it sent less or more of the file than it says");
        TRYV(file_.finish());
        return true;
      } else {
        return fail(Code::corruption, "it sent something else than a file");
      }
    }
  }

 private:
  NewFile file_;
  SecureChannel& channel_;
  std::uint64_t total_ = 0;
};

}  // namespace

bool is_offered_name(std::string_view name) {
  return !name.empty() && name.size() <= 20 && std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; });
}

Task<Result<>> offer_file(SecureChannel& channel, const Path& folder, asio::thread_pool& workers) {
  CO_TRY(const Record wanted, co_await channel.next());
  if (wanted.type != RecordType::name) co_return fail(Code::corruption, "it asked for something else than a file");
  auto file = co_await offload(workers, [&] { return open_offered(folder, wanted.content); });
  std::optional<Error> trouble;
  if (file) {
    Sending sending(*std::move(file), channel.sealer());
    while (!sending.at_end() && !trouble) {
      const auto sealed = co_await offload(workers, [&] { return sending.next(); });
      if (sealed) CO_TRYV(co_await channel.wire().write(*sealed));
      if (!sealed) trouble = sealed.error();
    }
  } else {
    trouble = std::move(file).error();
  }
  if (trouble) CO_TRYV(co_await channel.say(RecordType::refusal, encode(*trouble)));
  co_return Result<>{};
}

Task<Result<>> fetch_file(SecureChannel& channel, std::string_view name, const Path& into, asio::thread_pool& workers) {
  CO_TRYV(co_await channel.say(RecordType::name, name));
  CO_TRY(auto file, co_await offload(workers, [&] { return NewFile::create(into, 0600); }));
  Receiving receiving(std::move(file), channel);
  for (bool all = false; !all;) {
    CO_TRYV(co_await channel.receive());
    CO_TRY(all, co_await offload(workers, [&] { return receiving.take(); }));
  }
  co_return Result<>{};
}

}  // namespace cc::consensus

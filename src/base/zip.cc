#include "base/zip.h"

#include <cstdint>
#include <memory>
#include <utility>

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <locale.h>

namespace cc {
namespace {

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Entry = std::unique_ptr<archive_entry, decltype(&archive_entry_free)>;

// libarchive converts names through the locale of the thread, which is "C" in a server.
class Utf8Locale {
 public:
  Utf8Locale() : mine_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)), before_(::uselocale(mine_)) {}
  ~Utf8Locale() {
    ::uselocale(before_);
    ::freelocale(mine_);
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  locale_t mine_, before_;
};

std::unexpected<Error> bad_zip(std::string_view reason) {
  return fail(Code::invalid_argument, fmt::format("this is not a zip archive that can be read: {}", reason));
}

std::string reason_of(archive* a) {
  const char* text = archive_error_string(a);
  return text != nullptr ? text : "unknown reason";
}

bool is_safe(std::string_view name) {
  if (name.empty() || name.front() == '/') return false;
  std::size_t from = 0;
  while (from <= name.size()) {
    const std::size_t to = std::min(name.find('/', from), name.size());
    const std::string_view segment = name.substr(from, to - from);
    if (segment.empty() || segment == "." || segment == "..") return false;
    from = to + 1;
  }
  return true;
}

// libarchive grows its buffer through this callback.
la_ssize_t append(archive*, void* out, const void* bytes, std::size_t size) {
  static_cast<std::string*>(out)->append(static_cast<const char*>(bytes), size);
  return static_cast<la_ssize_t>(size);
}

// "PK\5\6" and zeros: no disks, no entries, no comment.
constexpr std::string_view kEndRecord("PK\5\6\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 22);

}  // namespace

struct ZipWriter::Impl {
  Result<> open();
  std::unexpected<Error> failed(const std::string& doing) const {
    return fail(Code::internal, doing + ": " + reason_of(zip.get()));
  }

  std::string out;  // before what writes it
  std::unique_ptr<archive, decltype(&archive_write_free)> zip{archive_write_new(), &archive_write_free};
  bool is_open = false;
};

Result<> ZipWriter::Impl::open() {
  if (std::exchange(is_open, true)) return {};
  archive_write_set_format_zip(zip.get());
  archive_write_set_bytes_in_last_block(zip.get(), 1);
  if (archive_write_set_options(zip.get(), "zip:hdrcharset=UTF-8") < ARCHIVE_WARN ||
      archive_write_open(zip.get(), &out, nullptr, append, nullptr) != ARCHIVE_OK) {
    return failed("write zip");
  }
  return {};
}

ZipWriter::ZipWriter() : impl_(std::make_unique<Impl>()) {}
ZipWriter::~ZipWriter() = default;

Result<> ZipWriter::add(const std::string& name, std::string_view content) {
  const Utf8Locale locale;
  TRYV(impl_->open());
  const Entry entry(archive_entry_new(), &archive_entry_free);
  archive_entry_set_pathname_utf8(entry.get(), name.c_str());
  archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
  archive_entry_set_filetype(entry.get(), AE_IFREG);
  archive_entry_set_perm(entry.get(), 0644);
  if (archive_write_header(impl_->zip.get(), entry.get()) < ARCHIVE_WARN ||
      archive_write_data(impl_->zip.get(), content.data(), content.size()) < 0) {
    return impl_->failed("write zip entry " + name);
  }
  return {};
}

Result<std::string> ZipWriter::finish() {
  const Utf8Locale locale;
  TRYV(impl_->open());
  if (archive_write_close(impl_->zip.get()) < ARCHIVE_WARN) return impl_->failed("write zip");
  return std::move(impl_->out);
}

Result<std::string> write_zip(const std::vector<ZipEntry>& entries) {
  ZipWriter zip;
  for (const ZipEntry& each : entries)
    TRYV(zip.add(each.name, each.content));
  return zip.finish();
}

Result<std::vector<ZipEntry>> read_zip(std::string_view bytes, std::uint64_t limit) {
  // Nothing in an archive is its end record alone, which libarchive does not take for one.
  if (bytes == kEndRecord) return std::vector<ZipEntry>{};
  const Utf8Locale locale;
  const Reader zip(archive_read_new(), &archive_read_free);
  // By the directory at its end, never by what stands before each file: an archive that was cut off would be read as
  // far as it goes, and be taken for whole.
  archive_read_support_format_zip_seekable(zip.get());
  if (archive_read_set_options(zip.get(), "zip:hdrcharset=UTF-8") < ARCHIVE_WARN ||
      archive_read_open_memory(zip.get(), bytes.data(), bytes.size()) != ARCHIVE_OK) {
    return bad_zip(reason_of(zip.get()));
  }
  std::vector<ZipEntry> entries;
  std::vector<char> piece(64 * 1024);
  std::uint64_t total = 0;
  for (;;) {
    archive_entry* entry = nullptr;
    const int status = archive_read_next_header(zip.get(), &entry);
    if (status == ARCHIVE_EOF) return entries;
    if (status < ARCHIVE_WARN) return bad_zip(reason_of(zip.get()));
    if (archive_entry_filetype(entry) == AE_IFDIR) continue;
    const char* utf8 = archive_entry_pathname_utf8(entry);
    const char* name = utf8 != nullptr ? utf8 : archive_entry_pathname(entry);
    if (name == nullptr) return bad_zip("an entry's name is not UTF-8");
    ZipEntry each{.name = name, .content = {}};
    if (archive_entry_filetype(entry) != AE_IFREG || !is_safe(each.name)) {
      return bad_zip(fmt::format("entry \"{}\" is no plain relative file name", each.name));
    }
    for (;;) {
      const la_ssize_t got = archive_read_data(zip.get(), piece.data(), piece.size());
      if (got < 0) return bad_zip(fmt::format("entry \"{}\": {}", each.name, reason_of(zip.get())));
      if (got == 0) break;
      total += static_cast<std::uint64_t>(got);
      if (total > limit) {
        return fail(Code::exhausted, fmt::format("the zip archive unpacks to more than {} bytes", limit));
      }
      each.content.append(piece.data(), static_cast<std::size_t>(got));
    }
    entries.push_back(std::move(each));
  }
}

}  // namespace cc

#include "backup/seal.h"

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <sodium.h>

#include "backup/damaged.h"
#include "base/bytes.h"
#include "base/little_endian.h"

namespace cc::backup {
namespace {

using State = crypto_secretstream_xchacha20poly1305_state;
using StreamKey = std::array<unsigned char, crypto_secretstream_xchacha20poly1305_KEYBYTES>;

constexpr std::string_view kMagic = "CCSEAL01";
constexpr std::size_t kKeyId = 16;
constexpr std::size_t kHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kSeal = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t kPiece = 256u << 10;

constexpr std::string_view kZstd("\x28\xb5\x2f\xfd", 4);
// A zstd frame that is skipped, of 32 bytes.
constexpr std::string_view kSumFrame("\x5c\x2a\x4d\x18\x20\0\0\0", 8);
constexpr std::size_t kSum = 32;
constexpr std::size_t kTrailer = kSumFrame.size() + kSum;

// How much is fetched: often the beginning is all that is wanted.
constexpr std::size_t kFirst = 512u << 10, kMostAtOnce = 8u << 20;

unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

// The encryption key seals other things too: what seals backups follows from it.
StreamKey stream_key(std::string_view key) {
  const std::string made = hmac_sha256(key, "config-center backup");
  StreamKey out{};
  std::ranges::copy(made, out.begin());
  return out;
}

// Tells another key from damage.
std::string key_id(std::string_view key) {
  return hmac_sha256(key, "config-center backup key id").substr(0, kKeyId);
}

}  // namespace

// --- writing ---

struct Writer::Impl {
  Impl(NewFile to, bool seal) : file(std::move(to)), sealed(seal) {}
  ~Impl() { sodium_memzero(&state, sizeof(state)); }

  Result<> seal_piece(unsigned char tag) {
    std::string out(sizeof(std::uint32_t) + piece.size() + kSeal, '\0');
    put_little_endian(out.data(), static_cast<std::uint32_t>(piece.size() + kSeal));
    crypto_secretstream_xchacha20poly1305_push(&state, bytes_of(out) + sizeof(std::uint32_t), nullptr, bytes_of(piece),
                                               piece.size(), nullptr, 0, tag);
    piece.clear();
    return file.write(out);
  }

  NewFile file;
  const bool sealed;
  State state{};
  std::string piece;  // not written yet; of what is sealed
  Sha256 sum;         // of what is not
};

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::~Writer() = default;
Writer::Writer(Writer&&) noexcept = default;

Result<Writer> Writer::create(const Path& file, std::string_view key) {
  TRY(NewFile made, NewFile::create(file, 0600));
  auto impl = std::make_unique<Impl>(std::move(made), !key.empty());
  if (impl->sealed) {
    if (sodium_init() < 0) return fail(Code::internal, "libsodium cannot be used on this machine");
    const StreamKey stream = stream_key(key);
    std::string header(kHeader, '\0');
    crypto_secretstream_xchacha20poly1305_init_push(&impl->state, bytes_of(header), stream.data());
    TRYV(impl->file.write(fmt::format("{}{}{}", kMagic, key_id(key), header)));
  }
  return Writer(std::move(impl));
}

Result<> Writer::write(std::string_view bytes) {
  if (!impl_->sealed) {
    impl_->sum.add(bytes);
    return impl_->file.write(bytes);
  }
  while (!bytes.empty()) {
    const std::size_t taken = std::min(bytes.size(), kPiece - impl_->piece.size());
    impl_->piece += bytes.substr(0, taken);
    bytes.remove_prefix(taken);
    if (impl_->piece.size() == kPiece) TRYV(impl_->seal_piece(0));
  }
  return {};
}

Result<> Writer::finish() {
  if (impl_->sealed) {
    TRYV(impl_->seal_piece(crypto_secretstream_xchacha20poly1305_TAG_FINAL));
  } else {
    TRYV(impl_->file.write(kSumFrame));
    TRYV(impl_->file.write(impl_->sum.finish()));
  }
  return impl_->file.finish();
}

// --- reading ---

struct Reader::Impl {
  explicit Impl(File from) : file(std::move(from)) {}
  ~Impl() { sodium_memzero(&state, sizeof(state)); }

  // As many bytes as there are, up to `size`, added to `to`.
  Result<> read(std::string& to, std::size_t size) {
    while (size > 0) {
      if (taken == fetched.size()) {
        TRY(fetched, file.storage->get(file.name, offset, at_once));
        taken = 0;
        offset += fetched.size();
        at_once = std::min(2 * at_once, kMostAtOnce);
        if (fetched.empty()) break;
      }
      const std::size_t more = std::min(size, fetched.size() - taken);
      to.append(fetched, taken, more);
      taken += more;
      size -= more;
    }
    return {};
  }

  Result<std::string_view> next_sealed();
  Result<std::string_view> next_plain();

  const File file;
  std::string fetched;    // of the file, up to `offset`
  std::size_t taken = 0;  // of these
  std::uint64_t offset = 0;
  std::size_t at_once = kFirst;
  bool sealed = false;
  bool ended = false;
  State state{};
  std::string in, out;
  Sha256 sum;
};

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

Result<Reader> Reader::open(const File& file, std::string_view key) {
  const std::string where = file.where();
  auto impl = std::make_unique<Impl>(file);
  std::string& begin = impl->in;
  TRYV(impl->read(begin, kMagic.size()));
  if (begin.starts_with(kZstd)) return Reader(std::move(impl));
  if (begin != kMagic) return fail(Code::corruption, where + " is not a backup of config-center");
  impl->sealed = true;
  begin.clear();
  TRYV(impl->read(begin, kKeyId + kHeader));
  if (begin.size() < kKeyId + kHeader) return damaged(where, "it ends too early");
  if (key.empty()) {
    return fail(Code::invalid_argument,
                where + " is sealed: give the settings, or the security.encryption_key, of its installation");
  }
  if (begin.substr(0, kKeyId) != key_id(key)) {
    return fail(Code::invalid_argument,
                where +
                    " is sealed with another key: give the security.encryption_key that was set when it "
                    "was made");
  }
  if (sodium_init() < 0) return fail(Code::internal, "libsodium cannot be used on this machine");
  const StreamKey stream = stream_key(key);
  if (crypto_secretstream_xchacha20poly1305_init_pull(&impl->state, bytes_of(begin) + kKeyId, stream.data()) != 0)
    return damaged(where, "its beginning");
  begin.clear();
  return Reader(std::move(impl));
}

Result<std::string_view> Reader::next() {
  if (impl_->ended) return std::string_view();
  return impl_->sealed ? impl_->next_sealed() : impl_->next_plain();
}

Result<std::string_view> Reader::Impl::next_sealed() {
  in.clear();
  TRYV(read(in, sizeof(std::uint32_t)));
  if (in.size() < sizeof(std::uint32_t)) return damaged(file.where(), "it ends too early");
  const std::size_t size = get_little_endian<std::uint32_t>(in);
  if (size < kSeal || size > kPiece + kSeal) return damaged(file.where(), "the length of a piece");
  in.clear();
  TRYV(read(in, size));
  if (in.size() < size) return damaged(file.where(), "it ends too early");
  out.resize(size - kSeal);
  unsigned char tag = 0;
  if (crypto_secretstream_xchacha20poly1305_pull(&state, bytes_of(out), nullptr, &tag, bytes_of(in), in.size(), nullptr,
                                                 0) != 0) {
    return damaged(file.where(), "a piece was changed");
  }
  if (tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
    ended = true;
    in.clear();
    TRYV(read(in, 1));
    if (!in.empty()) return damaged(file.where(), "something follows its end");
  } else if (out.empty()) {
    return damaged(file.where(), "an empty piece");
  }
  return std::string_view(out);
}

// The last bytes are the checksum, so that many are held back.
Result<std::string_view> Reader::Impl::next_plain() {
  TRYV(read(in, kPiece + kTrailer - in.size()));
  if (in.size() == kPiece + kTrailer) {
    out = in.substr(0, kPiece);
    in.erase(0, kPiece);
    sum.add(out);
    return std::string_view(out);
  }
  ended = true;
  if (in.size() < kTrailer) return damaged(file.where(), "it ends too early");
  out = in.substr(0, in.size() - kTrailer);
  sum.add(out);
  const std::string_view trailer = std::string_view(in).substr(in.size() - kTrailer);
  if (!trailer.starts_with(kSumFrame) || trailer.substr(kSumFrame.size()) != sum.finish())
    return damaged(file.where(), "its checksum does not match");
  return std::string_view(out);
}

}  // namespace cc::backup

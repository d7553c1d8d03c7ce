#include "consensus/sealed.h"

#include <sodium.h>

#include "base/little_endian.h"

namespace cc::consensus {
namespace {

constexpr std::size_t kHeader = crypto_secretstream_xchacha20poly1305_HEADERBYTES;
constexpr std::size_t kSeal = crypto_secretstream_xchacha20poly1305_ABYTES;
constexpr std::size_t kLength = sizeof(std::uint32_t);
static_assert(kLargestPiece + kSeal + kLength == kLargestSealed);
static_assert(sizeof(SessionKey) == crypto_secretstream_xchacha20poly1305_KEYBYTES);

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

Sealer::Sealer(SessionKey key) : state_(std::make_unique<State>()), header_(kHeader, '\0') {
  crypto_secretstream_xchacha20poly1305_init_push(state_.get(), reinterpret_cast<unsigned char*>(header_.data()),
                                                  key.data());
  sodium_memzero(key.data(), key.size());
}
Sealer::~Sealer() {
  if (state_) sodium_memzero(state_.get(), sizeof(State));
}
Sealer::Sealer(Sealer&&) noexcept = default;
Sealer& Sealer::operator=(Sealer&&) noexcept = default;

void Sealer::seal(std::string_view piece, std::string& to) {
  to += header_;
  header_.clear();
  const std::size_t before = to.size(), after = before + kLength + piece.size() + kSeal;
  // libstdc++ 12 may tell it more than the size that was asked for.
  to.resize_and_overwrite(after, [&](char* text, std::size_t) {
    put_little_endian(text + before, static_cast<std::uint32_t>(piece.size() + kSeal));
    crypto_secretstream_xchacha20poly1305_push(state_.get(), reinterpret_cast<unsigned char*>(text + before + kLength),
                                               nullptr, bytes_of(piece), piece.size(), nullptr, 0, 0);
    return after;
  });
}

Opener::Opener(SessionKey key) : key_(key) {
  sodium_memzero(key.data(), key.size());
}
Opener::~Opener() {
  sodium_memzero(key_.data(), key_.size());
  if (state_) sodium_memzero(state_.get(), sizeof(State));
}
Opener::Opener(Opener&&) noexcept = default;
Opener& Opener::operator=(Opener&&) noexcept = default;

bool Opener::open(std::string_view& bytes, std::string& to) {
  if (broken_) return false;
  if (!state_) {
    if (bytes.size() < kHeader) return true;
    state_ = std::make_unique<State>();
    broken_ = crypto_secretstream_xchacha20poly1305_init_pull(state_.get(), bytes_of(bytes), key_.data()) != 0;
    if (broken_) return false;
    bytes.remove_prefix(kHeader);
  }
  while (bytes.size() >= kLength) {
    const std::size_t sealed = get_little_endian<std::uint32_t>(bytes);
    broken_ = sealed < kSeal || sealed > kLargestPiece + kSeal;
    if (broken_) return false;
    if (bytes.size() - kLength < sealed) return true;
    const std::size_t before = to.size(), after = before + sealed - kSeal;
    to.resize_and_overwrite(after, [&](char* text, std::size_t) {
      unsigned char tag = 0;
      broken_ = crypto_secretstream_xchacha20poly1305_pull(
                    state_.get(), reinterpret_cast<unsigned char*>(text + before), nullptr, &tag,
                    bytes_of(bytes.substr(kLength)), sealed, nullptr, 0) != 0;
      return broken_ ? before : after;
    });
    if (broken_) return false;
    bytes.remove_prefix(kLength + sealed);
  }
  return true;
}

}  // namespace cc::consensus

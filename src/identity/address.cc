#include "identity/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include <fmt/format.h>

#include "base/bytes.h"
#include "model/quote.h"

namespace cc::identity {
namespace {

// IPv4 stands in the last four bytes, as ::ffff:a.b.c.d, and is the same address written that way.
struct Address {
  std::array<unsigned char, 16> bytes{};
  bool v4 = false;
};
struct Range {
  Address base;
  unsigned prefix = 128;  // bits that count, of the 16 bytes
};

constexpr std::array<unsigned char, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

std::optional<Address> parse_address(std::string_view text) noexcept {
  std::array<char, INET6_ADDRSTRLEN> copy{};
  text = text.substr(0, text.find('%'));  // the zone of a link-local address
  // At a zero inet_pton would stop and take what stands before it.
  if (text.empty() || text.size() >= copy.size() || text.contains('\0')) return std::nullopt;
  text.copy(copy.data(), text.size());
  Address out;
  if (inet_pton(AF_INET, copy.data(), out.bytes.data() + kMapped.size()) == 1) {
    std::ranges::copy(kMapped, out.bytes.begin());
    out.v4 = true;
    return out;
  }
  if (inet_pton(AF_INET6, copy.data(), out.bytes.data()) != 1) return std::nullopt;
  out.v4 = std::equal(kMapped.begin(), kMapped.end(), out.bytes.begin());
  return out;
}

std::optional<Range> parse_range(std::string_view text) noexcept {
  const std::size_t slash = text.find('/');
  const auto base = parse_address(text.substr(0, slash));
  if (!base || text.substr(0, slash).contains('%')) return std::nullopt;
  if (slash == std::string_view::npos) return Range{.base = *base};
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const bool written_as_v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  if (error != std::errc{} || end != digits.data() + digits.size() || bits > (written_as_v4 ? 32u : 128u))
    return std::nullopt;
  const unsigned prefix = written_as_v4 ? bits + 96 : bits;
  if (base->v4 && prefix < 96) return std::nullopt;
  return Range{.base = *base, .prefix = prefix};
}

bool bit(const Address& address, unsigned index) noexcept {
  return (address.bytes[index / 8] >> (7 - index % 8) & 1) != 0;
}

}  // namespace

Result<> check_address_range(std::string_view range) {
  const auto parsed = parse_range(range);
  if (!parsed) {
    return fail(Code::invalid_argument,
                fmt::format("{} is no address or range; write 192.168.1.7, 10.0.0.0/8 or fd00::/8", quoted(range)));
  }
  for (unsigned i = parsed->prefix; i < 128; ++i) {
    if (bit(parsed->base, i)) {
      return fail(Code::invalid_argument,
                  fmt::format("\"{}\" has bits set behind its prefix length; write the first address of the range, or "
                              "the single address without /{}",
                              range, range.substr(range.find('/') + 1)));
    }
  }
  return {};
}

std::string network_of(std::string_view address) {
  constexpr std::size_t kNetwork = 8;  // bytes of a /64
  const auto parsed = parse_address(address);
  if (!parsed) return std::string(address);
  const std::string_view bytes(reinterpret_cast<const char*>(parsed->bytes.data()),
                               parsed->v4 ? parsed->bytes.size() : kNetwork);
  return to_hex(bytes);
}

bool address_in_range(std::string_view address, std::string_view range) noexcept {
  const auto given = parse_address(address);
  const auto within = parse_range(range);
  if (!given || !within || given->v4 != within->base.v4) return false;
  for (unsigned i = 0; i < within->prefix; ++i) {
    if (bit(*given, i) != bit(within->base, i)) return false;
  }
  return true;
}

}  // namespace cc::identity

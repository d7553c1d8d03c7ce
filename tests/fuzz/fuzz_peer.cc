// What comes from another node: a stranger's greeting, and the records of one that has proven himself.
#include <cstdint>
#include <string>

#include "base/text.h"
#include "consensus/handshake.h"
#include "consensus/records.h"
#include "consensus/sealed.h"
#include "must.h"

namespace {

using namespace cc::consensus;
using cc::fuzz::must;

void check_hello(std::string_view bytes) {
  Handshake handshake(Side::acceptor, "secret");
  const bool taken = handshake.take(bytes);
  must(!taken || Handshake::look_at(bytes) == Handshake::Prefix::ours, "what is taken is of this version");
  must(!taken || bytes.size() == Handshake::kHelloSize, "a hello has one size");
  if (taken) must(!handshake.proves(std::string(Handshake::kProofSize, 'x')), "nothing proves the secret by chance");
}

void check_sealed(std::string_view bytes) {
  std::string plain;
  Opener opener(SessionKey{});
  if (!opener.open(bytes, plain)) must(!opener.open(bytes, plain), "what is broken stays so");
  must(plain.empty(), "nothing opens by chance");
}

void check_records(std::string_view bytes, std::size_t step) {
  RecordReader reader;
  std::string again;
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    reader.input() += bytes.substr(at, step);
    for (;;) {
      const auto record = reader.next();
      if (!record) return;
      if (!*record) break;
      append_record((*record)->type, (*record)->content, again);
      const auto introduction = decode_introduction((*record)->content);
      if (introduction)
        must(decode_introduction(encode(*introduction)).has_value(), "an introduction survives being passed on");
      const auto error = decode_error((*record)->content);
      if (error) must(cc::printable(error->message) == error->message, "a refusal can be shown");
    }
  }
  must(bytes.starts_with(again), "records are what the stream holds");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  check_hello(bytes);
  check_sealed(bytes);
  check_records(bytes, 7);
  check_records(bytes, 4096);
  return 0;
}

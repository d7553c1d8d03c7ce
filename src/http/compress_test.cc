#include "http/compress.h"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include "http/server_test_base.h"

namespace cc::http {
namespace {

Coding best(std::initializer_list<std::string_view> fields) {
  Accepted accepted;
  for (const auto field : fields)
    accepted.add(field);
  return accepted.best();
}

std::string gunzip(const std::string& bytes, std::size_t size) {
  std::string out(size, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  inflateEnd(&stream);
  return out;
}

std::string unzstd(const std::string& bytes, std::size_t size) {
  std::string out(size, '\0');
  EXPECT_EQ(ZSTD_decompress(out.data(), out.size(), bytes.data(), bytes.size()), size);
  return out;
}

std::string properties() {
  std::string out;
  for (int i = 0; out.size() < 5000; ++i)
    out += "spring.datasource.hikari.pool-" + std::to_string(i) + ".size=10\n";
  return out;
}

TEST(AcceptEncoding, ChoosesWhatTheClientLikesBest) {
  EXPECT_EQ(best({}), Coding::identity);
  EXPECT_EQ(best({""}), Coding::identity);
  EXPECT_EQ(best({"br"}), Coding::identity);
  EXPECT_EQ(best({"gzip"}), Coding::gzip);
  EXPECT_EQ(best({"GZip"}), Coding::gzip);
  EXPECT_EQ(best({"gzip, deflate, br, zstd"}), Coding::zstd);
  EXPECT_EQ(best({"gzip", "zstd"}), Coding::zstd);
  EXPECT_EQ(best({"zstd;q=0.5, gzip;q=0.8"}), Coding::gzip);
  EXPECT_EQ(best({"zstd ; Q=0.801, gzip;q=0.8"}), Coding::zstd);
  EXPECT_EQ(best({"gzip;q=0"}), Coding::identity);
  EXPECT_EQ(best({"gzip;q=0.000"}), Coding::identity);
  EXPECT_EQ(best({"*"}), Coding::zstd);
  EXPECT_EQ(best({"*, zstd;q=0"}), Coding::gzip);
  EXPECT_EQ(best({"*;q=0"}), Coding::identity);
  EXPECT_EQ(best({"identity, gzip;q=0.5"}), Coding::identity);
  EXPECT_EQ(best({"identity;q=0, gzip;q=0.5"}), Coding::gzip);
}

TEST(Compress, MakesTextSmallerAndSaysSo) {
  const std::string text = properties();
  for (const Coding coding : {Coding::gzip, Coding::zstd}) {
    Response response = Response::text(200, text).header("ETag", "\"7\"");
    Encodings().apply(response, coding);
    EXPECT_LT(response.bytes().size(), text.size() / 2);
    EXPECT_EQ(response.header("Content-Encoding"), coding == Coding::gzip ? "gzip" : "zstd");
    EXPECT_EQ(response.header("Vary"), "Accept-Encoding");
    EXPECT_EQ(response.header("ETag"), "\"7\"");
    const std::string bytes(response.bytes());
    EXPECT_EQ(coding == Coding::gzip ? gunzip(bytes, text.size()) : unzstd(bytes, text.size()), text);
  }
}

TEST(Compress, LeavesAloneWhatDoesNotPay) {
  Response small = Response::text(200, std::string(1000, 'x'));
  Encodings().apply(small, Coding::gzip);
  EXPECT_EQ(small.header("Content-Encoding"), "");

  Response image(200);
  image.header("Content-Type", "image/png").body(properties());
  Encodings().apply(image, Coding::gzip);
  EXPECT_EQ(image.header("Content-Encoding"), "");
  EXPECT_EQ(image.header("Vary"), "");

  Response forbidden = Response::text(200, properties());
  forbidden.header("Cache-Control", "no-cache, no-transform");
  Encodings().apply(forbidden, Coding::gzip);
  EXPECT_EQ(forbidden.header("Content-Encoding"), "");

  std::string noise;
  for (unsigned i = 0, value = 1; i < 4096; ++i, value = value * 1664525U + 1013904223U)
    noise += static_cast<char>(value >> 24);
  Response random = Response::text(200, noise);
  Encodings().apply(random, Coding::zstd);
  EXPECT_EQ(random.header("Content-Encoding"), "");
  EXPECT_EQ(random.bytes(), noise);
}

TEST(Compress, TellsCachesThatTheAnswerDependsOnTheClientAlsoWhenItWasNotEncoded) {
  Response plain = Response::json(200, properties());
  Encodings().apply(plain, Coding::identity);
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  EXPECT_EQ(plain.header("Content-Encoding"), "");
}

TEST(Compress, RemembersWhatItEncodedOfSharedBodies) {
  Encodings encodings;
  auto content = std::make_shared<std::string>(properties());
  const auto answer = [&](Coding coding) {
    Response response = Response(200).header("Content-Type", "text/plain").shared_body(content, *content);
    encodings.apply(response, coding);
    return response;
  };
  const Response first = answer(Coding::gzip);
  const Response second = answer(Coding::gzip);
  EXPECT_EQ(first.bytes().data(), second.bytes().data());
  EXPECT_EQ(second.header("Content-Encoding"), "gzip");
  EXPECT_EQ(answer(Coding::zstd).header("Content-Encoding"), "zstd");
  EXPECT_EQ(encodings.remembered(), 2U);

  Response own = Response::text(200, properties());
  encodings.apply(own, Coding::gzip);
  EXPECT_EQ(encodings.remembered(), 2U);
}

TEST(Compress, DoesNotTakeNewContentAtAnOldAddressForTheOld) {
  Encodings encodings;
  std::string memory(4000, 'a');
  for (const char letter : {'a', 'b'}) {
    memory.assign(4000, letter);
    const auto keep = std::make_shared<int>(0);
    Response response = Response(200).header("Content-Type", "text/plain").shared_body(keep, memory);
    encodings.apply(response, Coding::zstd);
    EXPECT_EQ(unzstd(std::string(response.bytes()), memory.size()), memory);
  }
}

using HttpCompression = ServerTest;

TEST_F(HttpCompression, IsNegotiated) {
  const auto content = std::make_shared<std::string>(properties());
  add(Method::get, "/text", [&](Request&) {
    return Response(200).header("Content-Type", "application/yaml").shared_body(content, *content);
  });
  start();
  RawClient client(port());
  const Answer plain = client.ask("GET /text HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(plain.body, *content);
  EXPECT_EQ(plain.header("Vary"), "Accept-Encoding");
  const Answer encoded = client.ask("GET /text HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(encoded.header("Content-Encoding"), "gzip");
  EXPECT_EQ(gunzip(encoded.body, content->size()), *content);
}

}  // namespace
}  // namespace cc::http

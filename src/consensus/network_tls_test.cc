#include "base/test_certificate.h"
#include "consensus/network_fixture.h"
#include "consensus/proxy_fixture.h"

namespace cc::consensus {
namespace {

using ::testing::HasSubstr;

struct TlsTest : NetworkFixture {
  NetworkOptions with(TestAuthority& signer, const std::string& name) {
    signer.issue(name);
    NetworkOptions made = options();
    made.tls_certificate_file = signer.certificate_file(name);
    made.tls_key_file = signer.key_file(name);
    made.tls_ca_file = signer.ca_file();
    return made;
  }
  TempDirectory certificates, others;
  TestAuthority authority{certificates.path()}, other_authority{others.path()};
};

TEST_F(TlsTest, NodesWithCertificatesOfOneAuthorityReachEachOther) {
  const auto one = node(1, with(authority, "one")), two = node(2, with(authority, "two"));
  start_and_connect(*one, *two);
  ASSERT_TRUE(connected(*one, *two));
  const std::string large(10u << 20, 'x');
  EXPECT_TRUE(one->hears(*two, large));
  ASSERT_TRUE(write_file(folder.path() / "17", large));
  EXPECT_TRUE(one->fetch(two->peer(), "17", folder.path() / "into"));
  EXPECT_TRUE(read_file(folder.path() / "into") == large);
}

TEST_F(TlsTest, ACertificateOfAnotherAuthorityIsRefused) {
  const auto one = node(1, with(authority, "one"));
  NetworkOptions forged = with(other_authority, "two");
  forged.tls_ca_file = authority.ca_file();  // so that it is the other side that must notice
  const auto two = node(2, forged);
  start_and_connect(*one, *two);
  for (TestNode* each : {one.get(), two.get()}) {
    const Error why = each->refusal().second;
    EXPECT_EQ(why.code, Code::permission_denied);
    EXPECT_THAT(why.message, HasSubstr("certificate"));
    EXPECT_TRUE(each->look([&] { return each->mets.empty(); }));
  }
}

TEST_F(TlsTest, WhoHasNoCertificateIsRefused) {
  const auto one = node(1, with(authority, "one")), two = node(2);
  start_and_connect(*one, *two);
  Intruder stranger(one->peer().address);
  stranger.say(Handshake(Side::dialer, options().secret).hello());
  EXPECT_LT(stranger.hear().size(), Handshake::kHelloSize);  // an alert of TLS
  EXPECT_TRUE(one->look([&] { return one->mets.empty(); }));
  EXPECT_TRUE(two->look([&] { return two->mets.empty(); }));
}

TEST_F(TlsTest, TheSecretIsNeededBesides) {
  NetworkOptions other = with(authority, "two");
  other.secret = "another secret";
  const auto one = node(1, with(authority, "one")), two = node(2, other);
  start_and_connect(*one, *two);
  EXPECT_THAT(two->refusal().second.message, HasSubstr("raft.secret"));
}

TEST_F(TlsTest, FilesAreReadAgainForWhoConnectsThen) {
  const NetworkOptions files = with(authority, "one");
  const auto one = node(1, files), two = node(2, with(other_authority, "two"));
  one->start();
  two->start();
  ASSERT_TRUE(write_file(files.tls_key_file, "no key"));
  EXPECT_FALSE((*one)->reload_tls());
  const NetworkOptions renewed = with(other_authority, "one");
  for (const auto& [to, from] : {std::pair(files.tls_key_file, renewed.tls_key_file),
                                 std::pair(files.tls_certificate_file, renewed.tls_certificate_file),
                                 std::pair(files.tls_ca_file, renewed.tls_ca_file)}) {
    ASSERT_TRUE(write_file(to, read_file(from).value()));
  }
  ASSERT_TRUE((*one)->reload_tls());
  EXPECT_GT((*one)->certificate_expires(), SystemClock().wall());
  connect(*one, *two);
  EXPECT_TRUE(connected(*one, *two));
}

TEST_F(TlsTest, FilesThatAreOfNoUseAreRefusedAtOnce) {
  const auto refused = [&](const NetworkOptions& made) {
    TestNode receiver(1, free_address(), made);
    receiver.options().listen = free_address();
    const auto listening = listen_on_tcp(receiver.options(), receiver.greeting, receiver);
    return listening ? Error{} : listening.error();
  };
  NetworkOptions some = with(authority, "one");
  some.tls_ca_file.clear();
  EXPECT_EQ(refused(some).code, Code::invalid_argument);
  EXPECT_THAT(refused(some).message, HasSubstr("all of them or none"));
  NetworkOptions wrong = with(authority, "one");
  wrong.tls_key_file = certificates.path() / "none";
  EXPECT_EQ(refused(wrong).code, Code::invalid_argument);
  EXPECT_THAT(refused(wrong).message, HasSubstr("none"));
  authority.issue("two");
  wrong.tls_key_file = authority.key_file("two");
  EXPECT_EQ(refused(wrong).code, Code::invalid_argument);
}

}  // namespace
}  // namespace cc::consensus

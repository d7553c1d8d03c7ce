#include "cli/credentials.h"

#include <sys/stat.h>

#include <cstdlib>
#include <map>

#include <gtest/gtest.h>

namespace cc::cli {
namespace {

unsigned mode_of(const Path& file) {
  struct stat status{};
  EXPECT_EQ(::stat(file.c_str(), &status), 0) << file;
  return status.st_mode & 0777;
}

TEST(Credentials, are_at_home_also_when_no_variable_says_where_that_is) {
  const char* names[] = {"HOME", "XDG_CONFIG_HOME"};
  std::map<std::string, std::string> before;
  for (const char* name : names) {
    if (const char* value = std::getenv(name)) before[name] = value;
    ::unsetenv(name);
  }
  EXPECT_TRUE(Credentials::at_home().file().is_absolute());
  for (const auto& [name, value] : before)
    ::setenv(name.c_str(), value.c_str(), 1);
}

TEST(Credentials, are_empty_without_a_file) {
  const TempDirectory folder;
  const Credentials credentials(folder.path() / "credentials.json");
  EXPECT_EQ(credentials.load().value(), CredentialsContent{});
}

TEST(Credentials, come_back_as_they_were_saved) {
  const TempDirectory folder;
  const Credentials credentials(folder.path() / "deep" / "credentials.json");
  CredentialsContent content{.current = "http://a:1", .servers = {}};
  content.servers["http://a:1"] = {
      .username = "admin", .token = "token-a", .expires_at = "2026-01-02T00:00:00.000Z", .tls = {}};
  content.servers["https://b"] = {
      .username = "李雷", .token = "token-b", .expires_at = "", .tls = {"/ca.pem", "/client.pem", "/client.key"}};
  ASSERT_TRUE(credentials.save(content));
  EXPECT_EQ(credentials.load().value(), content);
}

TEST(Credentials, are_readable_by_their_owner_only) {
  const TempDirectory folder;
  const Credentials credentials(folder.path() / "config-center" / "credentials.json");
  ASSERT_TRUE(credentials.save({}));
  EXPECT_EQ(mode_of(credentials.file()), 0600u);
  EXPECT_EQ(mode_of(credentials.file().parent_path()), 0700u);
}

TEST(Credentials, that_others_may_read_are_refused) {
  const TempDirectory folder;
  const Credentials credentials(folder.path() / "credentials.json");
  ASSERT_TRUE(credentials.save({}));
  ASSERT_EQ(::chmod(credentials.file().c_str(), 0644), 0);
  const auto loaded = credentials.load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::permission_denied);
  EXPECT_NE(loaded.error().message.find("chmod 600"), std::string::npos) << loaded.error().message;
}

TEST(Credentials, that_are_garbage_are_refused_with_what_to_do) {
  const TempDirectory folder;
  const Credentials credentials(folder.path() / "credentials.json");
  ASSERT_TRUE(write_file(credentials.file(), "{\"current\":", 0600));
  const auto loaded = credentials.load();
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corruption);
  EXPECT_NE(loaded.error().message.find("log in again"), std::string::npos) << loaded.error().message;
}

TEST(NormalUrl, gives_one_server_one_name) {
  EXPECT_EQ(normal_url("http://127.0.0.1:8848").value(), "http://127.0.0.1:8848");
  EXPECT_EQ(normal_url("HTTP://Config.Example:8848/").value(), "http://config.example:8848");
  EXPECT_EQ(normal_url("https://config.example/Center/").value(), "https://config.example/Center");
  EXPECT_EQ(normal_url("http://config.example").value(), "http://config.example");
}

TEST(NormalUrl, takes_a_bare_host_for_http_on_our_port) {
  EXPECT_EQ(normal_url("localhost").value(), "http://localhost:8848");
  EXPECT_EQ(normal_url("localhost:9000").value(), "http://localhost:9000");
  EXPECT_EQ(normal_url("[::1]").value(), "http://[::1]:8848");
  EXPECT_EQ(normal_url("[::1]:9000").value(), "http://[::1]:9000");
}

TEST(NormalUrl, refuses_what_is_no_server) {
  for (const char* text : {"", "http://", "ftp://a", "http://a b", "http://user:password@a", "http://a?x=1"})
    EXPECT_FALSE(normal_url(text)) << text;
}

}  // namespace
}  // namespace cc::cli

#include "node/settings.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "node/peers.h"

namespace cc::node {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using namespace std::chrono_literals;

class SettingsTest : public testing::Test {
 protected:
  Result<Settings> load(const std::string& yaml) {
    const Path file = folder_.path() / "config-center.yaml";
    EXPECT_TRUE(write_file(file, yaml));
    return load_settings(
        {.config_path = file.string(), .flags = flags_, .environment = [this](const char* name) -> const char* {
           const auto found = environment_.find(name);
           return found == environment_.end() ? nullptr : found->second.c_str();
         }});
  }
  std::string error_of(const std::string& yaml) {
    auto settings = load(yaml);
    return settings ? "accepted" : settings.error().message;
  }

  TempDirectory folder_;
  std::map<std::string, std::string> flags_, environment_;
};

TEST_F(SettingsTest, every_default_is_good_enough_for_one_machine) {
  const auto settings = load("").value();
  EXPECT_EQ(settings.server.host, "127.0.0.1");
  EXPECT_EQ(settings.server.port, 8848);
  EXPECT_EQ(settings.server.timeout, 30s);
  EXPECT_EQ(settings.security.jwt_expiration, 24h);
  EXPECT_EQ(settings.server.max_content, 1u << 20);
  EXPECT_FALSE(settings.security.anonymous_read);
}

TEST_F(SettingsTest, the_variable_wins_over_the_file_and_the_flag_over_both) {
  EXPECT_EQ(load("server: {port: 1001}").value().server.port, 1001);
  environment_["CONFIG_CENTER_SERVER_PORT"] = "1002";
  EXPECT_EQ(load("server: {port: 1001}").value().server.port, 1002);
  flags_["server.port"] = "1003";
  const auto settings = load("server: {port: 1001}").value();
  EXPECT_EQ(settings.server.port, 1003);
  EXPECT_EQ(settings.origin.at("server.port"), "--server-port");
}

TEST_F(SettingsTest, an_unknown_key_names_its_line_and_what_was_meant) {
  const std::string message = error_of("server:\n  host: 0.0.0.0\n  prot: 9000\n");
  EXPECT_THAT(message, HasSubstr("line 3"));
  EXPECT_THAT(message, HasSubstr("server.port"));
  EXPECT_THAT(error_of("sever: {port: 1}"), HasSubstr("line 1"));
}

TEST_F(SettingsTest, a_wrong_value_says_what_would_be_right) {
  EXPECT_THAT(error_of("server:\n  timeout: 30"), HasSubstr("line 2"));
  EXPECT_THAT(error_of("server: {timeout: 30}"), HasSubstr("30s"));
  EXPECT_THAT(error_of("server: {port: 99999}"), HasSubstr("65535"));
  EXPECT_THAT(error_of("server: {workers: 0}"), HasSubstr("1 to 256"));
  EXPECT_THAT(error_of("security: {anonymous_read: yes}"), HasSubstr("true"));
  EXPECT_THAT(error_of("backup: {storage: {type: ftp}}"), HasSubstr("local, s3, azure, gcs"));
  EXPECT_THAT(error_of("server:\n  port: 1\n  port: 2\n"), HasSubstr("duplicate key"));
  EXPECT_THAT(error_of("server: [1, 2"), HasSubstr("line 1"));
  EXPECT_THAT(error_of(",,,, server: {port: 1}"), HasSubstr("line 1"));
  EXPECT_THAT(error_of("server: {tls: {key_file: a}}"), HasSubstr("certificate_file"));
}

TEST_F(SettingsTest, what_is_empty_does_not_mean_something_else) {
  EXPECT_THAT(error_of("server:\n  host:\n"), AllOf(HasSubstr("line 2"), HasSubstr("0.0.0.0")));
  environment_["CONFIG_CENTER_SERVER_HOST"] = "";
  EXPECT_THAT(error_of(""), AllOf(HasSubstr("CONFIG_CENTER_SERVER_HOST"), HasSubstr("0.0.0.0")));
  environment_ = {{"DATA_DIR", ""}};
  EXPECT_THAT(error_of(""), HasSubstr("DATA_DIR"));
  environment_.clear();
  EXPECT_THAT(error_of("raft: {address: ''}"), HasSubstr("host:port"));
}

TEST_F(SettingsTest, every_setting_has_a_variable_by_its_name_also_those_with_a_shorter_one) {
  for (const Setting& setting : all_settings()) {
    std::string name(setting.name);
    std::ranges::replace(name, '.', '_');
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    EXPECT_THAT(setting.environment_variables(), Contains("CONFIG_CENTER_" + name));
  }
  environment_["CONFIG_CENTER_APP_ENV"] = "production";
  EXPECT_TRUE(load("").value().production());
  environment_["APP_ENV"] = "development";
  EXPECT_TRUE(load("").value().production()) << "the longer name is the more deliberate one";
  environment_["CONFIG_CENTER_LOG_LEVEL"] = "debug";
  EXPECT_EQ(load("").value().log.level, "debug");
}

TEST_F(SettingsTest, a_file_is_one_document_in_which_each_setting_is_given_once) {
  EXPECT_THAT(error_of("server: {port: 1}\n---\nserver: {port: 2}\n"),
              AllOf(HasSubstr("line 3"), HasSubstr("second document")));
  EXPECT_THAT(error_of("server.port: 9000\nserver: {port: 9001}\n"), AllOf(HasSubstr("line 2"), HasSubstr("twice")));
  EXPECT_THAT(error_of("server: {tls.key_file: a, tls: {key_file: b}}\n"), HasSubstr("twice"));
  EXPECT_EQ(load("server.port: 9000\nserver: {workers: 2}\n").value().server.port, 9000);
}

TEST_F(SettingsTest, what_is_a_section_and_what_is_a_value_is_told) {
  EXPECT_THAT(error_of("server:\n  port: {a: 1}\n"), AllOf(HasSubstr("line 2"), HasSubstr("takes a value")));
  EXPECT_THAT(error_of("server: 9000\n"), HasSubstr("section"));
  EXPECT_THAT(error_of("server: [1, 2]\n"), HasSubstr("section"));
  EXPECT_THAT(error_of("raft: {peers: [{1: a}]}\n"), HasSubstr("plain text"));
}

TEST_F(SettingsTest, what_this_version_does_not_use_is_checked_all_the_same) {
  EXPECT_THAT(error_of("backup: {schedule: {cron: nonsense}}"), HasSubstr("five"));
  EXPECT_THAT(error_of("cache: {sentinels: 'a:26379,b'}"), HasSubstr("host:port"));
  EXPECT_TRUE(load("cache: {sentinels: ['a:26379', 'b:26379']}"));
}

TEST_F(SettingsTest, what_would_fail_at_the_start_can_be_checked_before) {
  const auto checked = [&](const std::string& yaml) {
    const auto settings = load(yaml);
    if (!settings) return "not read: " + settings.error().message;
    const auto fine = check_settings(*settings);
    return fine ? std::string("fine") : fine.error().message;
  };
  EXPECT_EQ(checked(""), "fine");
  EXPECT_THAT(checked("raft: {peers: junk}"), HasSubstr("raft.peers"));
  EXPECT_THAT(checked("raft: {peers: 2@b:1}"), HasSubstr("this node"));
  EXPECT_THAT(checked("server: {host: no-such-host.invalid}"), HasSubstr("no-such-host.invalid"));
  EXPECT_THAT(checked("server: {tls: {certificate_file: /nowhere, key_file: /nowhere}}"), HasSubstr("/nowhere"));
  EXPECT_THAT(checked("security: {jwt_secret: short}"), HasSubstr("32"));
  EXPECT_THAT(checked("monitoring: {alert_rules: /nowhere}"), HasSubstr("/nowhere"));
}

TEST_F(SettingsTest, a_list_is_as_good_as_commas) {
  const auto settings = load("raft:\n  peers:\n    - 1@10.0.0.1:7848\n    - 2@10.0.0.2:7848\n").value();
  const auto peers = parse_peers(settings.raft.peers, 1).value();
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[1].address, "10.0.0.2:7848");
}

TEST_F(SettingsTest, peers_are_nodes_with_an_id_and_an_address_of_their_own) {
  const auto refusal = [](std::string_view text) {
    const auto peers = parse_peers(text, 1);
    return peers ? "accepted" : peers.error().message;
  };
  EXPECT_EQ(refusal("1@a:1, 2@[::1]:7848"), "accepted");
  EXPECT_THAT(refusal("1@a:1,1@b:1"), HasSubstr("node_id 1 is given twice"));
  EXPECT_THAT(refusal("1@a:1,2@a:1"), AllOf(HasSubstr("nodes 1 and 2"), HasSubstr("a:1")));
  EXPECT_THAT(refusal("2@a:1,3@b:1"), HasSubstr("this node, 1"));
  for (const char* junk : {"a:1", "1@a", "1@:1", "1@a:0", "1@a:65536", "1@a:x"})
    EXPECT_THAT(refusal(junk), HasSubstr("is not node_id@host:port")) << junk;
}

TEST_F(SettingsTest, the_address_of_a_node_is_the_one_that_its_peers_know) {
  const std::string peers = "peers: [1@10.0.0.1:7848, 2@10.0.0.2:7849], secret: " + std::string(40, 's');
  EXPECT_EQ(load("raft: {node_id: 2, " + peers + "}").value().raft.address, "10.0.0.2:7849");
  EXPECT_EQ(load("").value().raft.address, "127.0.0.1:7848");
  EXPECT_TRUE(check_settings(load("raft: {node_id: 2, address: '10.0.0.2:7849', " + peers + "}").value()));
  const auto refused = check_settings(load("raft: {node_id: 2, address: '10.0.0.9:7849', " + peers + "}").value());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::invalid_argument);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("10.0.0.9:7849"), HasSubstr("10.0.0.2:7849")));
}

TEST_F(SettingsTest, nodes_of_a_group_need_a_secret_between_them) {
  const auto refusal = [&](const std::string& raft) {
    const auto fine = check_secrets(load("raft: {" + raft + "}").value());
    return fine ? std::string("accepted") : fine.error().message;
  };
  EXPECT_EQ(refusal(""), "accepted");
  EXPECT_EQ(refusal("peers: 1@a:1"), "accepted") << "nobody else is there";
  for (const char* several : {"peers: '1@a:1,2@b:1'", "join: true"}) {
    EXPECT_THAT(refusal(several), AllOf(HasSubstr("raft.secret is missing"), HasSubstr("openssl rand -hex 32"),
                                        HasSubstr("all nodes, the same"), HasSubstr("CONFIG_CENTER_RAFT_SECRET")));
    EXPECT_EQ(refusal(several + (", secret: " + std::string(32, 's'))), "accepted");
  }
  EXPECT_THAT(refusal("secret: short"), HasSubstr("raft.secret has 5 bytes, at least 32"));
}

TEST_F(SettingsTest, tls_between_nodes_needs_all_of_its_files) {
  for (const char* some : {"certificate_file: a", "key_file: a, ca_file: b", "certificate_file: a, key_file: b"})
    EXPECT_THAT(error_of("raft: {tls: {" + std::string(some) + "}}"), HasSubstr("raft.tls needs"));
  const auto files = load("raft: {tls: {certificate_file: /nowhere, key_file: /nowhere, ca_file: /nowhere}}");
  const auto refused = check_settings(files.value());
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, AllOf(HasSubstr("raft.tls"), HasSubstr("/nowhere")));
}

TEST_F(SettingsTest, tokens_hold_on_every_node_of_a_group) {
  const auto node = [&](const std::string& name, const std::string& raft_secret) {
    environment_["DATA_DIR"] = (folder_.path() / name).string();
    auto settings = load("raft: {secret: " + raft_secret + "}").value();
    EXPECT_TRUE(complete_secrets(settings));
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / name)) << "there is nothing to keep";
    return std::pair(settings.security.jwt_secret, settings.security.encryption_key);
  };
  const auto one = node("one", std::string(32, 's'));
  EXPECT_EQ(one, node("two", std::string(32, 's')));
  EXPECT_NE(one.first, one.second);
  EXPECT_NE(one.first, node("another group", std::string(32, 't')).first);
  EXPECT_GE(one.first.size(), 32u);

  environment_["CONFIG_CENTER_SECURITY_JWT_SECRET"] = std::string(32, 'j');
  EXPECT_EQ(node("given", std::string(32, 's')).first, std::string(32, 'j'));

  environment_["APP_ENV"] = "production";
  environment_.erase("CONFIG_CENTER_SECURITY_JWT_SECRET");
  auto production = load("raft: {secret: Ohb6pee6EiY4aing1uthaeHoo5Ung3Ch9theeYah}").value();
  EXPECT_FALSE(complete_secrets(production)) << "each secret is given, and can be changed alone";
}

TEST_F(SettingsTest, secrets_come_from_files_and_are_never_shown) {
  const Path secret = folder_.path() / "jwt";
  ASSERT_TRUE(write_file(secret, std::string(40, 'k') + "\n", 0600));
  const auto settings = load("security: {jwt_secret_file: " + secret.string() + "}").value();
  EXPECT_EQ(settings.security.jwt_secret, std::string(40, 'k')) << "without the newline";
  const std::string shown = show_settings(settings);
  EXPECT_THAT(shown, HasSubstr("***"));
  EXPECT_EQ(shown.find("kkkk"), std::string::npos);
  EXPECT_THAT(error_of("security: {jwt_secret_file: /nowhere}"), HasSubstr("/nowhere"));
}

TEST_F(SettingsTest, what_is_shown_can_be_read_back) {
  const auto before = load("server: {port: 1001, timeout: 5s}\nraft: {node_id: 3}").value();
  const auto after = load(show_settings(before));
  ASSERT_TRUE(after) << after.error().message << show_settings(before);
  EXPECT_EQ(after->server.port, 1001);
  EXPECT_EQ(after->raft.node_id, 3u);
}

TEST_F(SettingsTest, production_refuses_missing_short_and_well_known_secrets) {
  environment_["APP_ENV"] = "production";
  environment_["DATA_DIR"] = (folder_.path() / "data").string();
  const auto refused = [&](const std::string& secret) {
    environment_["CONFIG_CENTER_SECURITY_JWT_SECRET"] = secret;
    environment_["CONFIG_CENTER_SECURITY_ENCRYPTION_KEY"] = "ehrhu6Wah6ahWe0zoh8Ohgh4ohqu0ahZ-Tei5";
    const auto fine = check_secrets(load("").value());
    return fine ? std::string() : fine.error().message;
  };
  EXPECT_THAT(refused(""), HasSubstr("missing"));
  EXPECT_THAT(refused("short"), HasSubstr("32"));
  EXPECT_THAT(refused(std::string(40, 'a')), HasSubstr("well-known"));
  EXPECT_THAT(refused("please-changeme-please-changeme-please"), HasSubstr("well-known"));
  EXPECT_EQ(refused("Ohb6pee6EiY4aing1uthaeHoo5Ung3Ch9theeYah"), "");
}

TEST_F(SettingsTest, a_secret_that_is_there_and_cannot_be_used_is_not_replaced) {
  environment_["DATA_DIR"] = (folder_.path() / "data").string();
  const Path kept = folder_.path() / "data/secrets/jwt_secret";
  ASSERT_TRUE(make_directories(kept));  // a folder: cannot be read as a file
  auto settings = load("").value();
  EXPECT_FALSE(complete_secrets(settings));
  EXPECT_TRUE(std::filesystem::is_directory(kept));
  std::filesystem::remove(kept);
  ASSERT_TRUE(write_file(kept, "short"));
  const auto refused = complete_secrets(settings);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("32"));
}

TEST_F(SettingsTest, development_makes_its_secrets_once) {
  environment_["DATA_DIR"] = (folder_.path() / "data").string();
  auto first = load("").value(), second = load("").value();
  ASSERT_TRUE(complete_secrets(first));
  ASSERT_TRUE(complete_secrets(second));
  EXPECT_GE(first.security.jwt_secret.size(), 32u);
  EXPECT_EQ(first.security.jwt_secret, second.security.jwt_secret);
  const auto mode = std::filesystem::status(folder_.path() / "data/secrets/jwt_secret").permissions();
  EXPECT_EQ(static_cast<unsigned>(mode), 0600u);
}

TEST(SettingsReference, is_what_the_documentation_says) {
  const auto page = read_file(CC_SOURCE_DIR "/docs/settings.md").value();
  EXPECT_THAT(page, HasSubstr(settings_reference()))
      << "docs/settings.md is not what the table says: end it with the output of `config-center config reference`";
}

}  // namespace
}  // namespace cc::node

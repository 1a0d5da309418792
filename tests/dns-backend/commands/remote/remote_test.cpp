#include "dns-backend/commands/remote/remote.hpp"

#include "dns-backend/commands/remote/token_file.hpp"
#include "tests/support/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <CLI/CLI.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include <sys/stat.h>

namespace {

using commands::read_remote;
using commands::RemoteWords;
using commands::TokenFile;
using testing::HasSubstr;

class RemoteTest : public testing::Test {
 protected:
  std::string file(std::string const& name, std::string const& content, unsigned mode = 0600) {
    std::string const path = folder.file(name);
    std::ofstream(path) << content;
    ::chmod(path.c_str(), mode);
    return path;
  }
  static std::string problems(RemoteWords const& words, TokenFile token = TokenFile::read) {
    auto const read = read_remote(words, token);
    return read ? "" : base::text(read.error());
  }

  test::TemporaryFolder folder;
};

TEST_F(RemoteTest, WithoutAServerThisMachinesDaemonIsAsked) {
  auto const read = read_remote({}, TokenFile::read);
  ASSERT_TRUE(read);
  EXPECT_FALSE(read->has_value());
}

TEST_F(RemoteTest, AServerAndItsTokenAreRead) {
  RemoteWords const words{"https://navigator.example.org:18010/", file("token", " nav_abc\n"), file("ca.pem", "x")};
  auto const read = read_remote(words, TokenFile::read);
  ASSERT_TRUE(read) << base::text(read.error());
  EXPECT_EQ((*read)->url, "https://navigator.example.org:18010");
  EXPECT_EQ((*read)->token, "nav_abc");
  EXPECT_EQ((*read)->tls.ca_file, words.ca_file);
  EXPECT_TRUE((*read)->tls.verify);
}

TEST_F(RemoteTest, WhatIsSignedUpHasNoTokenYet) {
  auto const read = read_remote({"https://host", folder.file("none"), ""}, TokenFile::made);
  ASSERT_TRUE(read) << base::text(read.error());
  EXPECT_EQ((*read)->token, "");
}

TEST_F(RemoteTest, EveryProblemIsToldAtOnce) {
  std::string const text = problems({"ftp://host", folder.file("none"), folder.file("no-ca")});
  EXPECT_THAT(text, HasSubstr("--server"));
  EXPECT_THAT(text, HasSubstr("--token-file"));
  EXPECT_THAT(text, HasSubstr("--ca"));
  EXPECT_THAT(problems({"https://host", "", ""}), HasSubstr("wants a token"));
  EXPECT_THAT(problems({"", "x", "y"}), testing::AllOf(HasSubstr("--token-file"), HasSubstr("--ca")));
  EXPECT_EQ(problems({"", "x", ""}, TokenFile::made), "");
}

TEST_F(RemoteTest, ATokenTravelsOpenlyWithinThisMachineAlone) {
  std::string const token = file("token", "nav_abc");
  EXPECT_THAT(problems({"http://navigator.example.org", token, ""}), HasSubstr("to everybody on the way"));
  EXPECT_EQ(problems({"http://127.0.0.1:8080", token, ""}), "");
  EXPECT_EQ(problems({"http://[::1]:8080", token, ""}), "");
  EXPECT_THAT(problems({"https://host/?a=b", token, ""}), HasSubstr("query"));
  EXPECT_THAT(problems({"https://me:secret@host", token, ""}), testing::Not(HasSubstr("secret")));
}

TEST_F(RemoteTest, ATokenFileIsItsOwnersAlone) {
  for (unsigned const mode : {0640U, 0604U, 0620U}) {
    EXPECT_THAT(problems({"https://host", file("open", "nav_abc", mode), ""}), HasSubstr("chmod 600")) << mode;
  }
  EXPECT_EQ(problems({"https://host", file("read-only", "nav_abc", 0400), ""}), "");
  EXPECT_THAT(problems({"https://host", file("empty", "\n"), ""}), HasSubstr("holds no token"));
  EXPECT_THAT(problems({"https://host", file("two", "nav_a\nnav_b"), ""}), HasSubstr("holds no token"));
  EXPECT_THAT(problems({"https://host", file("large", std::string(5000, 'x')), ""}), HasSubstr("larger"));
  EXPECT_THAT(problems({"https://host", folder.path(), ""}), HasSubstr("folder"));
}

TEST_F(RemoteTest, ASignUpThatHadNoAnswerKeepsItsKey) {
  std::string const path = folder.file("token");
  EXPECT_EQ(commands::begin_token_file(path, "first").value(), "first");
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_THAT(problems({"https://host", path, ""}), HasSubstr("sign-up"));
  EXPECT_EQ(commands::begin_token_file(path, "second").value(), "first");
  commands::drop_token_file(path);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_EQ(commands::begin_token_file(path, "third").value(), "third");
  EXPECT_TRUE(commands::finish_token_file(path, "nav_abc"));
  EXPECT_EQ(commands::read_token_file(path).value(), "nav_abc");
  // What is a token is neither written over nor removed.
  EXPECT_FALSE(commands::begin_token_file(path, "fourth"));
  commands::drop_token_file(path);
  EXPECT_EQ(commands::read_token_file(path).value(), "nav_abc");
}

TEST_F(RemoteTest, EachCommandTakesTheWordsAndTheEnvironmentStandsIn) {
  auto const parsed = [](std::vector<std::string> words) {
    CLI::App app;
    app.add_subcommand("tenant")->add_subcommand("status");
    app.add_subcommand("serve");
    app.add_subcommand("sign-up");
    RemoteWords given;
    commands::add_remote_words(app, given);
    std::reverse(words.begin(), words.end());
    app.parse(words);
    return commands::with_environment(app, given);
  };
  ::setenv("NAVIGATOR_TOKEN_FILE", "/token", 1);
  EXPECT_EQ(parsed({"tenant", "status"}).token_file, "");
  EXPECT_EQ(parsed({"sign-up"}).token_file, "/token");
  ::setenv("NAVIGATOR_SERVER", "https://env", 1);
  RemoteWords const both = parsed({"tenant", "status"});
  EXPECT_EQ(both.server, "https://env");
  EXPECT_EQ(both.token_file, "/token");
  RemoteWords const said = parsed({"tenant", "status", "--server", "https://said", "--token-file", "/mine"});
  EXPECT_EQ(said.server, "https://said");
  EXPECT_EQ(said.token_file, "/mine");
  EXPECT_EQ(parsed({"serve"}).server, "");
  EXPECT_THROW(parsed({"serve", "--server", "https://said"}), CLI::ParseError);
  ::unsetenv("NAVIGATOR_SERVER");
  ::unsetenv("NAVIGATOR_TOKEN_FILE");
}

}  // namespace

#include "dns-backend/commands/remote/remote.hpp"

#include "base/http_client/http_client.hpp"
#include "base/process/service.hpp"
#include "dns-backend/commands/remote/token_file.hpp"

#include <boost/asio/ip/address.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <string_view>

namespace commands {
namespace {

constexpr char const* server_variable = "NAVIGATOR_SERVER";
constexpr char const* token_file_variable = "NAVIGATOR_TOKEN_FILE";

bool asks_nobody(std::string const& command) {
  constexpr std::array<std::string_view, 3> words{"serve", "pipe", "check"};
  return std::find(words.begin(), words.end(), command) != words.end();
}

void add_to(CLI::App& command, RemoteWords& words) {
  auto const below = command.get_subcommands([](CLI::App const*) { return true; });
  for (CLI::App* const one : below) {
    add_to(*one, words);
  }
  if (!below.empty()) {
    return;
  }
  constexpr char const* group = "A Navigator elsewhere";
  command.add_option("--server", words.server, "https://HOST:PORT instead of this machine's daemon (NAVIGATOR_SERVER)")
      ->group(group);
  command.add_option("--token-file", words.token_file, "File of the token, mode 0600 (NAVIGATOR_TOKEN_FILE)")
      ->group(group);
  command.add_option("--ca", words.ca_file, "PEM file of the CA that signed it (default: the system's)")->group(group);
}

void from_environment(char const* name, std::string& word) {
  char const* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): the command line has one thread
  if (word.empty() && value != nullptr) {
    word = value;
  }
}

bool is_loopback(std::string const& host) {
  boost::system::error_code bad;
  auto const address = net::asio::ip::make_address(host, bad);
  return host == "localhost" || (!bad && address.is_loopback());
}

void read_server(RemoteWords const& words, base::Problems& problems, Remote& remote) {
  auto const complain = [&problems](std::string what, std::string hint) {
    problems.push_back({{"navigator"}, "--server", std::move(what), std::move(hint)});
  };
  auto const url = net::parse_url(words.server);
  char const* const form = "for instance https://navigator.example.org:18010";
  if (!url) {
    complain(url.error().what(), form);
    return;
  }
  if (url->scheme != "https" && url->scheme != "http") {
    complain("'" + words.server + "' is neither https nor http", form);
    return;
  }
  if (url->target.find('?') != std::string::npos) {
    complain("'" + words.server + "' has a query", form);
    return;
  }
  if (url->scheme == "http" && !is_loopback(url->host)) {
    complain("'" + words.server + "' would show the token to everybody on the way", "https");
    return;
  }
  remote.url = words.server.substr(0, words.server.find('#'));
  remote.url.erase(remote.url.find_last_not_of('/') + 1);
}

}  // namespace

void add_remote_words(CLI::App& app, RemoteWords& words) {
  for (CLI::App* const command : app.get_subcommands([](CLI::App const*) { return true; })) {
    if (!asks_nobody(command->get_name())) {
      add_to(*command, words);
    }
  }
}

RemoteWords with_environment(CLI::App const& app, RemoteWords words) {
  CLI::App const* chosen = &app;
  while (!chosen->get_subcommands().empty()) {
    chosen = chosen->get_subcommands().front();
  }
  if (chosen->get_option_no_throw("--server") == nullptr) {
    return {};
  }
  from_environment(server_variable, words.server);
  // This machine's daemon is asked without a token, whatever the environment says of one.
  if (!words.server.empty() || chosen->get_name() == "sign-up") {
    from_environment(token_file_variable, words.token_file);
  }
  return words;
}

boost::system::result<std::optional<Remote>, base::Problems> read_remote(RemoteWords const& words, TokenFile token) {
  base::Problems problems;
  auto const complain = [&problems](char const* word, std::string what, std::string hint) {
    problems.push_back({{"navigator"}, word, std::move(what), std::move(hint)});
  };
  if (words.server.empty()) {
    for (auto const& [word, value] :
         {std::pair("--token-file", &words.token_file), std::pair("--ca", &words.ca_file)}) {
      bool const made = token == TokenFile::made && word == std::string_view("--token-file");
      if (!value->empty() && !made) {
        complain(word, "is for a Navigator elsewhere", std::string("--server, or ") + server_variable);
      }
    }
    if (!problems.empty()) {
      return problems;
    }
    return std::optional<Remote>();
  }
  Remote remote;
  read_server(words, problems, remote);
  if (token == TokenFile::read && words.token_file.empty()) {
    complain("--token-file", "is missing: " + words.server + " wants a token",
             std::string("a file with what 'navigator token create' showed, or ") + token_file_variable);
  } else if (token == TokenFile::read) {
    auto shown = read_token_file(words.token_file);
    if (shown) {
      remote.token = std::move(*shown);
    } else {
      complain("--token-file", shown.error().detail, {});
    }
  }
  if (!words.ca_file.empty()) {
    if (auto const read = process::read_file(words.ca_file); !read) {
      complain("--ca", read.error().what(), "a PEM file of certificates");
    }
    remote.tls.ca_file = words.ca_file;
  }
  if (!problems.empty()) {
    return problems;
  }
  return std::optional<Remote>(std::move(remote));
}

}  // namespace commands

// A Navigator elsewhere: its address, the token that is shown to it, and how its certificate is verified. The words of
// the command line for that, and what they mean.
//
// Threads: the command line only.
#pragma once

#include "base/net/tls.hpp"
#include "base/result/problem.hpp"
#include "base/result/result.hpp"

#include <boost/system/result.hpp>

#include <optional>
#include <string>

namespace CLI {
class App;
}  // namespace CLI

namespace commands {

struct RemoteWords {
  std::string server;      // "https://navigator.example.org:18010"; empty: this machine's daemon
  std::string token_file;  // 0600
  std::string ca_file;     // PEM; empty: the system's roots
};

struct Remote {
  std::string url;    // without final '/'
  std::string token;  // empty: none is shown
  net::TlsClientSettings tls;
};

enum class TokenFile { read, made };  // made: the command writes it, there is no token yet

// Adds --server, --token-file and --ca to each command below `app`, but for those in `app` that ask no API by
// themselves: serve, pipe, check. `words` must outlive the parsing.
void add_remote_words(CLI::App& app, RemoteWords& words);

// The words of the environment where the command line has none, once `app` is parsed; nothing for a command that takes
// no such words.
RemoteWords with_environment(CLI::App const& app, RemoteWords words);

// Nothing without a server. All problems at once.
boost::system::result<std::optional<Remote>, base::Problems> read_remote(RemoteWords const& words, TokenFile token);

}  // namespace commands

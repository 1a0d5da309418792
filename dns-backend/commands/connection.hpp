// The command line's side of the API: requests to the daemon that runs, or while none does, the same routes over the
// store opened in this process; or to a Navigator elsewhere, with a token. So each command is written once. On a
// replica both pass writes on to its primary.
//
// Threads: blocking; the command line only.
#pragma once

#include "base/http/http.hpp"
#include "dns-backend/commands/place.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <memory>
#include <string>

namespace commands {

enum class Without { refuse, open_store };  // what to do without a daemon

class Connection {
 public:
  // Failures: no daemon answers (refuse); the store's own, for instance another process's lock.
  static base::Result<std::unique_ptr<Connection>> open(Place const& place, Without without);
  ~Connection();
  Connection(Connection const&) = delete;
  Connection& operator=(Connection const&) = delete;

  // One request, one answer. Says every two seconds on stderr that it still waits, when `doing` is not empty.
  base::Result<net::HttpResponse> call(std::string const& method, std::string const& target,
                                       std::string const& body = {}, std::string const& doing = {});
  // With headers of its own.
  base::Result<net::HttpResponse> call(net::HttpRequest request, std::string const& doing = {});

 private:
  struct State;
  explicit Connection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A refusal as people want it: the detail alone on stderr. Exit code: 2 for wrong input, else 1.
int say_refusal(net::HttpResponse const& answer);
// One sentence of it; for reports of many.
std::string refusal_text(net::HttpResponse const& answer);

// Opens, calls, says what went wrong. 0 with the answer in `answer`, else the exit code.
int call_once(Place const& place, Without without, std::string const& method, std::string const& target,
              std::string const& body, net::HttpResponse& answer);

// The body as JSON; null when it is none.
boost::json::value json_of(net::HttpResponse const& answer);

// Every page of a list as one body, whose member `list` has them all. A target with a limit of its own is asked once.
int get_list(Place const& place, Without without, std::string const& target, char const* list,
             boost::json::object& body);
// The same printed as a table, or with `json` the body itself.
int print_list(Place const& place, Output output, Without without, std::string const& target, char const* list,
               std::vector<std::pair<std::string, std::string>> const& columns);

}  // namespace commands

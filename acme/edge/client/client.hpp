// The edge's conversation with Navigator: the list of bundles it shall serve, kept by what changed; the bundles
// themselves; acknowledgments.
//
// The first answer is the whole list, in pages; afterwards the long poll brings what changed since. A Navigator that
// knows no changes answers with the whole list each time, which is read just as well.
//
// Threads: belongs to one loop. Destroy it after the loop stopped.
#pragma once

#include "acme/edge/client/bundle.hpp"
#include "base/http_client/http_client.hpp"
#include "base/net/task.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace edge {

struct ClientSettings {
  std::vector<std::string> navigators;  // "https://10.200.0.1:18010", tried in order, the last good one first
  net::TlsClientSettings tls;           // with this node's client certificate
  std::chrono::milliseconds long_poll{30000};
  std::chrono::milliseconds call_deadline{10000};  // of an exchange, beyond the long poll
};

// What follow() changed in the list.
struct ListNews {
  bool complete = false;         // the whole list was read
  std::vector<std::string> ids;  // else: that came, changed or went
};

class Client {
 public:
  using Items = std::map<std::string, BundleItem>;  // by id

  Client(net::asio::any_io_executor executor, ClientSettings settings);
  Client(Client const&) = delete;
  Client& operator=(Client const&) = delete;

  // Waits for a change when `wait`, at most the long poll and `at_most`. `applied`: the list as it is here is what the
  // web server serves; Navigator then knows that what left the list is served no longer. A list that cannot be read
  // changes nothing. refused, bad_bundle, and those of the HTTP client.
  net::Task<base::Result<ListNews>> follow(bool applied, bool wait,
                                           std::chrono::milliseconds at_most = std::chrono::hours(1));
  [[nodiscard]] Items const& items() const { return items_; }
  // A bundle as the list has it, verified. bad_bundle: it is another one by now, or broken.
  net::Task<base::Result<Bundle>> fetch(BundleItem item);
  // stale: it is not to be said again of this certificate.
  net::Task<base::Result<void>> acknowledge(BundleItem item);

  void stop() { stopped_ = true; }
  // The client certificate was renewed: reads it again.
  base::Result<void> reload_identity() { return http_.reload(); }
  [[nodiscard]] std::string answering() const;  // the Navigator that answered last; empty: none

 private:
  net::Task<base::Result<net::HttpResponse>> call(std::string method, std::string target, std::string body,
                                                  std::chrono::milliseconds deadline);
  net::Task<base::Result<BundleList>> ask(std::string target, std::chrono::milliseconds wait);
  net::Task<base::Result<void>> read_all(BundleList first);

  ClientSettings settings_;
  net::HttpClient http_;
  bool stopped_ = false;
  std::size_t navigator_ = 0;
  bool answered_ = false;
  Items items_;
  std::int64_t sequence_ = 0;  // of the list
  bool reread_ = false;        // it moved while its pages were read
};

}  // namespace edge

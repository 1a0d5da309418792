// What one connection of PowerDNS has said so far, and the reply to what it says next; whatever carries the words.
//
// Threads: belongs to one lookup loop.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/connector/meters.hpp"
#include "dns-backend/geo/geo.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/remote/write.hpp"
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace connector {

// What the conversations of one loop share; owned by the loop.
struct Serving {
  store::Reader<store::Snapshot> reader;
  pool::HealthTable const& health;
  store::Store* store;  // nullptr: reads only
  Meters const& meters;
  bool refuse_while_empty;
  // Set while this process makes room for its successor: writes that belong to no open transaction are refused.
  std::atomic<bool> const& leaving;
  std::atomic<std::size_t>& transactions;  // open ones, of all connections
  // Called after a reply to getAllDomains was written, with what it listed; may be empty.
  std::function<void(std::shared_ptr<store::Snapshot const>)> listed;
  // Where clients are and how far sites are; none: nobody knows.
  std::optional<store::Reader<geo::Surroundings>> surroundings = std::nullopt;
};

class Conversation {
 public:
  // `serving` must outlive the conversation.
  explicit Conversation(Serving& serving) : serving_(serving), writer_(serving.store) {}
  ~Conversation();
  Conversation(Conversation const&) = delete;
  Conversation& operator=(Conversation const&) = delete;

  // Puts the reply to `request` (JSON) with its newline into `out`. A Failure means: close the connection. Both must
  // stay until the task ended.
  net::Task<base::Result<void>> reply_to(std::string_view request, std::string& out);
  // To be called when the last reply is written.
  void replied();
  [[nodiscard]] bool in_transaction() const { return writer_.overlay() != nullptr; }

 private:
  // The usual questions, without a request made of them and without memory from the heap; which it was.
  std::optional<remote::Method> answer_at_once(std::string_view request, std::string& out);
  // What questions are answered from now; good until the next call.
  remote::World world(store::Snapshot const& snapshot);
  net::Task<base::Result<void>> write(remote::Request request, std::string& out);

  Serving& serving_;
  remote::Writer writer_;
  std::shared_ptr<store::Snapshot const> listed_;  // set while the reply in hand is the list of this snapshot's zones
};

}  // namespace connector

// What one connection of PowerDNS has said so far, and the reply to what it says next; whatever carries the words.
//
// Threads: belongs to the loop or the thread of its connection.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/conversation/meters.hpp"
#include "dns-backend/conversation/reply_memo.hpp"
#include "dns-backend/geo/geo.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/remote/write.hpp"
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace connector {

// What the conversations of one loop, or one conversation on a thread of its own, are answered from; owned by it.
struct Serving {
  store::Published<store::Snapshot> const& published;
  pool::HealthTable const& health;
  store::Store* store;  // nullptr: reads only
  Meters const& meters;
  bool refuse_while_empty;
  // Set while this process makes room for its successor: writes that belong to no open transaction are refused.
  std::atomic<bool> const& leaving;
  std::atomic<std::size_t>& transactions;  // open ones, of all connections
  // Called after a reply to getAllDomains was written, with what it listed; may be empty.
  std::function<void(std::shared_ptr<store::Snapshot const>)> listed;
  // Where clients are and how far sites are; nullptr: nobody knows.
  store::Published<geo::Surroundings> const* published_surroundings = nullptr;

  // The newest; good until the next call.
  std::shared_ptr<store::Snapshot const> const& snapshot();
  geo::Surroundings const* surroundings();
  // Holds neither until the next call.
  void forget();

  std::optional<store::Reader<store::Snapshot>> snapshot_reader = std::nullopt;
  std::optional<store::Reader<geo::Surroundings>> surroundings_reader = std::nullopt;
};

class Conversation {
 public:
  // `serving` must outlive the conversation.
  explicit Conversation(Serving& serving) : serving_(serving), writer_(serving.store) {}
  ~Conversation();
  Conversation(Conversation const&) = delete;
  Conversation& operator=(Conversation const&) = delete;

  // Puts the reply to `request` (JSON) with its newline into `out`, which is empty, and yields true; or false, and
  // nothing is in `out`: the request writes, and reply_to_write() has the reply. A Failure means: close the connection.
  base::Result<bool> reply_at_once(std::string_view request, std::string& out);
  // `out` must stay until the task ended.
  net::Task<base::Result<void>> reply_to_write(std::string& out);
  // To be called when the last reply is written.
  void replied();
  [[nodiscard]] bool in_transaction() const { return writer_.overlay() != nullptr; }

 private:
  // The usual questions, without a request made of them and without memory from the heap, and those asked a moment ago
  // out of the memo; which it was.
  std::optional<remote::Method> answer_at_once(std::string_view request, std::string& out);
  // What questions are answered from now; good until the next call.
  remote::World world(store::Snapshot const& snapshot);
  void note_unknown(std::string const& method);
  net::Task<base::Result<void>> write(remote::Request request, std::string& out);

  Serving& serving_;
  remote::Writer writer_;
  ReplyMemo memo_;
  std::set<std::string> unknown_;                  // methods that were asked for and do not exist, each logged once
  std::optional<remote::Request> to_write_;        // what reply_at_once() left to reply_to_write()
  std::chrono::steady_clock::time_point begun_;    // the request in hand
  std::shared_ptr<store::Snapshot const> listed_;  // set while the reply in hand is the list of this snapshot's zones
};

}  // namespace connector

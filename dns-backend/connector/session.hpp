// One connection of PowerDNS: a line in, a reply out, strictly in turn.
//
// A session may be idle for ever (PowerDNS keeps its connections), but a line once begun must end within 10 s and a
// reply must be taken within 10 s. Any failure closes the connection without an answer: PowerDNS then fails one query,
// connects anew and keeps what it has cached, whereas a made-up answer would be believed.
//
// Threads: a Session belongs to its lookup loop.
#pragma once

#include "base/net/task.hpp"
#include "dns-backend/pool/health_table.hpp"
#include "dns-backend/connector/meters.hpp"
#include "dns-backend/remote/write.hpp"
#include "dns-backend/snapshot/published.hpp"
#include "dns-backend/snapshot/snapshot.hpp"

#include <boost/asio/local/stream_protocol.hpp>

#include <functional>
#include <memory>
#include <string>

namespace connector {

// What the sessions of one loop share; owned by the loop.
struct Serving {
  store::Reader<store::Snapshot> reader;
  pool::HealthTable const& health;
  store::Store* store;  // nullptr: reads only
  Meters const& meters;
  bool refuse_while_empty;
  // Called after a reply to getAllDomains was written, with what it listed; may be empty.
  std::function<void(std::shared_ptr<store::Snapshot const>)> listed;
};

class Session {
 public:
  using Socket = boost::asio::local::stream_protocol::socket;

  // `serving` must outlive the session.
  Session(Socket socket, Serving& serving) : socket_(std::move(socket)), serving_(serving), writer_(serving.store) {}

  // Ends when the peer closed, something failed or close() was called.
  static net::Task<void> run(std::shared_ptr<Session> self);
  void close();

 private:
  net::Task<base::Result<void>> read_line();
  net::Task<base::Result<std::size_t>> read_some();
  // The usual lookup, without a request made of it and without memory from the heap.
  bool answer_at_once(std::string_view line);
  net::Task<base::Result<void>> reply_to(std::string_view line);
  net::Task<base::Result<void>> write_reply();
  net::Task<base::Result<std::size_t>> write_rest(std::size_t done);

  Socket socket_;
  Serving& serving_;
  remote::Writer writer_;
  std::string in_;
  std::size_t line_end_ = 0;  // of the line in hand within in_, newline included
  std::string out_;
  std::shared_ptr<store::Snapshot const> listed_;  // set while the reply in hand is the list of this snapshot's zones
};

}  // namespace connector

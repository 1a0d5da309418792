#include "mesh/world_store/world_store.hpp"

#include "base/result/category.hpp"
#include "mesh/members/turns.hpp"
#include "routing/repair_links/repair_links.hpp"
#include "topology/allocation.hpp"
#include "topology/load.hpp"
#include "topology/room/room.hpp"

namespace world_store {

namespace {

constexpr std::string_view tables = R"(
  CREATE TABLE controller_world (id INTEGER PRIMARY KEY CHECK (id = 1), topology TEXT NOT NULL, allocation TEXT NOT NULL);
)";
// What the topology file said when it was last read: only a file that was edited since may replace the stored topology.
constexpr std::string_view file_table = R"(
  CREATE TABLE controller_file (id INTEGER PRIMARY KEY CHECK (id = 1), text TEXT NOT NULL);
)";

// How far the revisions of worlds are ahead of the database's (catch_up.hpp).
constexpr std::string_view life_table = R"(
  CREATE TABLE controller_life (id INTEGER PRIMARY KEY CHECK (id = 1), ahead INTEGER NOT NULL, learnt INTEGER NOT NULL,
    first INTEGER NOT NULL);
)";

char const* message(int) {
  return "the topology does not validate";
}

struct Texts {
  std::string topology;
  std::string allocation;
};

base::Result<Texts> read_texts(database::Database& database) {
  auto rows = database.query("SELECT topology, allocation FROM controller_world WHERE id = 1");
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return Texts{};
  }
  return Texts{database::text(rows->front()[0]), database::text(rows->front()[1])};
}

void add_member(members::NodeRow const& node, Stored& stored) {
  auto& document = stored.document;
  document.nodes[node.name] = node.public_key;
  stored.members.insert(node.name);
  if (node.draining) {
    document.draining.insert(node.name);
  }
  if (!node.next_key.empty()) {
    document.next_keys[node.name] = node.next_key;
  }
  if (node.generation != 0) {
    document.generations[node.name] = static_cast<std::uint32_t>(node.generation);
  }
}

void add_costs(topology::Topology const& topology, std::map<std::string, std::uint32_t> const& costs, Stored& stored) {
  for (auto const& link : topology.links) {
    if (!topology.measured(link)) {
      continue;
    }
    auto const name = link.name();
    auto const found = costs.find(name);
    stored.measured.emplace(name,
                            link_costs::MeasuredLink{link.a, link.b, found == costs.end() ? link.cost : found->second});
    if (found != costs.end()) {
      stored.document.costs.insert(*found);
    }
  }
}

char const* role_name(topology::Role role) {
  switch (role) {
    case topology::Role::central:
      return "central";
    case topology::Role::regional:
      return "regional";
    case topology::Role::edge:
      break;
  }
  return "edge";
}

}  // namespace

boost::system::error_code make_error_code(errc code) {
  static base::Category const category("world_store", message);
  return {static_cast<int>(code), category};
}

database::Schema schema() {
  return {"controller",
          {{1, tables}, {2, file_table}, {3, life_table}},
          {{"controller_world", {"id"}}, {"controller_life", {"id"}}}};
}

std::string sentence(FileUse use, std::string const& file) {
  if (use == FileUse::taken) {
    return {};
  }
  return file +
         (use == FileUse::superseded ? " is older than the topology that was set"
                                     : " was edited, and another topology was set meanwhile") +
         "; the topology that was set stays. `privateer topology set " + file + "` takes the file";
}

base::Result<Stored::Life> read_life(database::Database& database) {
  auto const rows = database.query("SELECT ahead, learnt, first FROM controller_life WHERE id = 1");
  if (!rows) {
    return rows.error();
  }
  if (rows->empty()) {
    return Stored::Life{};
  }
  auto const& row = rows->front();
  return Stored::Life{database::integer(row[0]), database::integer(row[1]), database::integer(row[2])};
}

base::Result<database::Revision> set_topology(database::Database& database, std::string const& text,
                                              std::string const& source_name, std::int64_t now_s) {
  auto topology = topology::load_topology(text, source_name);
  if (!topology) {
    return base::fail(errc::bad_topology, base::text(topology.error()));
  }
  auto const present = read_texts(database);
  auto const life = read_life(database);
  if (!present || !life) {
    return !present ? present.error() : life.error();
  }
  topology::Allocation previous;
  if (!present->allocation.empty()) {
    auto parsed = topology::parse_allocation(present->allocation);
    if (!parsed) {
      return parsed.error();
    }
    previous = std::move(*parsed);
  }
  repair_links::complete(*topology, previous, text == present->topology);
  auto const allocation = topology::allocate(*topology, previous, now_s);
  if (!allocation) {
    auto const problems = topology::room_problems(text, source_name, *topology, previous, now_s);
    return base::fail(errc::bad_topology,
                      problems.empty() ? source_name + ": " + allocation.error().what() + "\n" : base::text(problems));
  }
  std::string const allocation_text = topology::to_text(*allocation);
  if (text == present->topology && allocation_text == present->allocation) {
    return database.revision() + life->ahead;
  }
  auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
    auto written = transaction.execute(
        "INSERT INTO controller_world (id, topology, allocation) VALUES (1, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET topology = excluded.topology, allocation = excluded.allocation",
        {text, allocation_text});
    if (!written) {
      return written.error();
    }
    // What the allocation remembers may still come back.
    std::set<std::string> links;
    for (auto const& [link, identity] : allocation->links) {
      links.insert(link);
    }
    return link_costs::keep_costs(transaction, links);
  };
  auto const written = database.write(body);
  return written ? *written + life->ahead : written;
}

base::Result<FileUse> read_file_again(database::Database& database, std::string const& text,
                                      std::string const& source_name, std::int64_t now_s) {
  auto const present = read_texts(database);
  if (!present) {
    return present.error();
  }
  auto const rows = database.query("SELECT text FROM controller_file WHERE id = 1");
  if (!rows) {
    return rows.error();
  }
  std::string const seen = rows->empty() ? std::string() : database::text(rows->front()[0]);
  bool const nothing_was_set = present->topology.empty() || present->topology == seen;
  if (text != present->topology && !nothing_was_set) {
    return text == seen ? FileUse::superseded : FileUse::conflicting;
  }
  if (auto set = set_topology(database, text, source_name, now_s); !set) {
    return set.error();
  }
  auto const body = [&](database::Transaction& transaction) -> base::Result<void> {
    auto written = transaction.execute(
        "INSERT INTO controller_file (id, text) VALUES (1, ?) ON CONFLICT (id) DO UPDATE SET text = excluded.text",
        {text});
    if (!written) {
      return written.error();
    }
    return {};
  };
  if (auto written = database.write(body); !written) {
    return written.error();
  }
  return FileUse::taken;
}

base::Result<Stored> read_world(database::Database& database) {
  auto texts = read_texts(database);
  auto nodes = members::nodes(database);
  auto removed = members::removed_keys(database);
  auto operators = members::operators(database);
  auto keys = enrolment::certificate_keys(database);
  auto const costs = link_costs::read_costs(database);
  auto const life = read_life(database);
  if (!texts || !nodes || !removed || !operators || !keys || !costs || !life) {
    return !texts       ? texts.error()
           : !nodes     ? nodes.error()
           : !removed   ? removed.error()
           : !operators ? operators.error()
           : !keys      ? keys.error()
           : !costs     ? costs.error()
                        : life.error();
  }
  Stored stored;
  auto& document = stored.document;
  stored.life = *life;
  document.revision = database.revision() + life->ahead;
  document.topology = std::move(texts->topology);
  document.allocation = std::move(texts->allocation);
  document.removed = std::move(*removed);
  stored.operators = std::move(*operators);
  stored.certificate_keys = std::move(*keys);
  for (auto const& node : *nodes) {
    if (node.removed_at_s == 0) {
      add_member(node, stored);
    }
  }
  if (auto const topology = topology::load_topology(document.topology, "stored topology"); topology) {
    // Never both ends of a link change their keys at once, nor those of a repair link.
    auto whole = *topology;
    if (auto const allocation = topology::parse_allocation(document.allocation); allocation) {
      repair_links::add(whole, repair_links::chosen_in(whole, *allocation));
    }
    for (auto const& node : topology->nodes) {
      auto const* const segment = topology->segment_of(node.name);
      stored.topology_nodes.emplace(node.name,
                                    enrolment::Place{role_name(node.role), segment == nullptr ? "" : segment->name});
    }
    document.rotate = members::rotating(*nodes, whole);
    add_costs(*topology, *costs, stored);
  }
  stored.rows = std::move(*nodes);
  return stored;
}

}  // namespace world_store

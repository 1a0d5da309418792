module(routing/bird SOURCES config.cpp control.cpp status.cpp state.cpp
  DEPENDS base/result base/net base/process topology)
module(routing/anycast SOURCES announcement.cpp announcer.cpp backend_check.cpp
  DEPENDS base/result base/net base/process base/probe topology routing/bird)
module(routing/cost SOURCES ladder.cpp DEPENDS base/result topology)
module(routing/repair_links SOURCES cases.cpp repair_links.cpp DEPENDS base/result topology)
module(routing/backup SOURCES alternates.cpp areas.cpp passing.cpp survey.cpp DEPENDS base/result topology)

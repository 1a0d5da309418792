# cmake --install build/release --prefix /usr: the programs, their units and the user that Navigator's unit names.
install(TARGETS navigator privateer RUNTIME DESTINATION bin)
file(GLOB units ${PROJECT_SOURCE_DIR}/packaging/systemd/*.service)
install(FILES ${units} DESTINATION lib/systemd/system)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/navigator.sysusers DESTINATION lib/sysusers.d RENAME navigator.conf)

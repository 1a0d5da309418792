# cmake --install build/release --prefix /usr: the programs, their units and the users that these name.
install(TARGETS navigator privateer RUNTIME DESTINATION bin)
file(GLOB units ${PROJECT_SOURCE_DIR}/packaging/systemd/*.service ${PROJECT_SOURCE_DIR}/packaging/systemd/*.path)
install(FILES ${units} DESTINATION lib/systemd/system)
foreach(user navigator privateer)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/${user}.sysusers DESTINATION lib/sysusers.d
    RENAME ${user}.conf)
endforeach()
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/privateer.tmpfiles DESTINATION lib/tmpfiles.d
  RENAME privateer.conf)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/polkit/privateer.rules DESTINATION share/polkit-1/rules.d
  RENAME 50-privateer.rules)

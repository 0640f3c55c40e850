"""Our own kinds: Ephemerators, NamespaceManagers and Stays, from what is heard to what is done."""

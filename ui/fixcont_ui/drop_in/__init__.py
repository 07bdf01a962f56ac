"""`fixcont.pdb`: the running interpreter's pdb, with the fix-and-continue commands at every stop of it."""

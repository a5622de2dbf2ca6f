"""`analyze --ray`: one list of files over the cores of a machine or the machines of a cluster.

Ray Data hands the files out, a task a clip; its actors (`reader`) hold the networks and give back
the rows of each file; the process that was started (`run`) is the only one that writes (`parts`).
"""

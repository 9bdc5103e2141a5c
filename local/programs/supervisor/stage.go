package main

// stage is what the file given on the command line says.
type stage struct {
	// Hostname inside the namespaces, and so the node's name.
	Hostname string `json:"hostname"`
	// Log of process 1 itself.
	Log string `json:"log"`
	// Status is a file rewritten at every start and end of a component.
	Status string `json:"status"`
	// Mounts are made inside the mount namespace, in order.
	Mounts []mount `json:"mounts"`
	// Sysctls are files under /proc/sys and what is written to them.
	Sysctls []sysctl `json:"sysctls"`
	// Setup are commands run once, in order, before any component.
	Setup [][]string `json:"setup"`
	// Forwards are addresses inside, or files that hold one; a loopback port
	// outside leads to each.
	Forwards   []string    `json:"forwards"`
	Components []component `json:"components"`
}

type mount struct {
	// Source is a folder or file to bind, or empty for a tmpfs.
	Source string `json:"source"`
	Target string `json:"target"`
	// Mode of a tmpfs.
	Mode string `json:"mode"`
}

type sysctl struct {
	File  string `json:"file"`
	Value string `json:"value"`
}

type component struct {
	Name string            `json:"name"`
	Argv []string          `json:"argv"`
	Env  map[string]string `json:"env"`
	Log  string            `json:"log"`
	// UID and GID the component runs as; 0 is root.
	UID uint32 `json:"uid"`
	GID uint32 `json:"gid"`
	// WaitFor are addresses that have to answer before the component starts:
	// tcp://host:port, unix:///path or an https URL that answers 200.
	WaitFor []string `json:"waitFor"`
}

// componentStatus is what the status file says about one component.
type componentStatus struct {
	// PID inside the namespaces; 0 while it waits or is down.
	PID int `json:"pid"`
	// Starts counts how often it was started; more than one means it ended.
	Starts int `json:"starts"`
	// Since is when it was started last, in milliseconds since 1970.
	Since int64 `json:"since"`
	// LastExit says how it ended last, empty when it never did.
	LastExit string `json:"lastExit"`
}
